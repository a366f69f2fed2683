// A process of its own for calibrate-kill-resume.test.ts: calibrates argv[2] by the method argv[3], counting progress on
// stdout. With argv[4] it kills itself, as kill -9 does, argv[5] milliseconds after so many steps of progress; 0 is at once.

import { calibrateModel } from '../src/calibrate/calibrate-model.js'
import type { CalibrationMethod } from '../src/calibrate/calibrate-options.js'

const [, , model, method, killAt, delay] = process.argv
const kill = () => process.kill(process.pid, 'SIGKILL')
let steps = 0
await calibrateModel({
  model,
  calibrationText: 'the cat sat on the mat and saw a dog. '.repeat(20),
  memoryBudget: 5,
  targets: [3.5, 4],
  method: method as CalibrationMethod,
  samples: 12,
  sequenceLength: 16,
  steps: 6,
  backend: 'reference',
  onProgress: () => {
    if (++steps !== Number(killAt)) return
    if (Number(delay) === 0) kill()
    else setTimeout(kill, Number(delay))
  },
})
process.stdout.write(String(steps))
