// A process of its own for kill-resume.test.ts: quantizes argv[2] to argv[3], counting progress on stdout. With argv[4]
// it kills itself, as kill -9 does, argv[5] milliseconds after so many steps of progress; 0 is at once.
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../src/quantizer/row-quantizer.js'

const [, , source, out, killAt, delay] = process.argv
const kill = () => process.kill(process.pid, 'SIGKILL')
let steps = 0
await quantizeModel(source, out, {
  shardBytes: 1,
  // Several groups of gradients, each written after every sample.
  sensitivity: 'fisher',
  backend: 'reference',
  calibrationText: 'the cat sat on the mat. '.repeat(8),
  sequenceLength: 48,
  accumulatorBytes: 20000,
  checkpointSeconds: 0,
  // Few rows a call, so that there are many moments to be killed at.
  quantizer: { ...typescriptRowQuantizer(), weightsPerCall: 256 },
  onProgress: () => {
    if (++steps !== Number(killAt)) return
    if (Number(delay) === 0) kill()
    else setTimeout(kill, Number(delay))
  },
})
process.stdout.write(String(steps))
