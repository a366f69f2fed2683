import { join } from 'node:path'
import { quantizeModel } from '../quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../quantizer/row-quantizer.js'
import { type TinyModelOptions, writeTinyModel } from './tiny-model.js'

/**
 * Writes a tiny model whose blocks change the residual stream to `original`, and to `quantized` what is made of it, 3 to 8 bits, a
 * file for each linear.
 * @param config as of `TinyModelOptions`
 */
export async function writeQuantizedTinyModel(directory: string, config?: TinyModelOptions['config']): Promise<void> {
  const [original, quantized] = [join(directory, 'original'), join(directory, 'quantized')]
  // Norms that differ, so that a wrong one shows.
  await writeTinyModel(original, {
    config: config ?? {},
    edit: (t) => ({ ...t, data: t.data.map((x) => (t.shape.length > 1 ? 4 * x : 1 + x)) }),
  })
  await quantizeModel(original, quantized, { calibrationText: false, quantizer: typescriptRowQuantizer(), shardBytes: 1 })
}
