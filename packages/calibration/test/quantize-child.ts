// A process of its own for kill-resume.test.ts: quantizes argv[2] to argv[3] and prints a line at every progress.
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../src/quantizer/row-quantizer.js'

const [, , source, out] = process.argv
await quantizeModel(source, out, {
  shardBytes: 1,
  // Few rows a call, so that there are many moments to be killed at.
  quantizer: { ...typescriptRowQuantizer(), weightsPerCall: 256 },
  onProgress: ({ done }) => process.stdout.write(`${done}\n`),
})
