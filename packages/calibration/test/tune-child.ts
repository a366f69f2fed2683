// A process of its own for tune-kill-resume.test.ts: tunes argv[3], quantized from argv[2], to argv[4], counting progress
// on stdout. With argv[5] it kills itself, as kill -9 does, argv[6] milliseconds after so many steps of progress; 0 is at
// once.
import { tuneTables } from '../src/tables/tune-tables.js'

const [, , original, quantized, out, killAt, delay] = process.argv
const kill = () => process.kill(process.pid, 'SIGKILL')
let steps = 0
await tuneTables(original, quantized, out, {
  calibrationText: 'the cat sat on the mat and saw a dog. '.repeat(20),
  sequenceLength: 8,
  steps: 12,
  batch: 2,
  backend: 'reference',
  overwrite: out === quantized,
  // Keeps every step, so that there are many moments to be killed at.
  saveSeconds: 0,
  onProgress: () => {
    if (++steps !== Number(killAt)) return
    if (Number(delay) === 0) kill()
    else setTimeout(kill, Number(delay))
  },
})
process.stdout.write(String(steps))
