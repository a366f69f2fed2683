import { type BitPlaneWeight, FileFormatError, type FloatTensor, toFloat32, wordsPerRow } from '@dpllm/core'
import type { Checkpoint } from '@dpllm/core/node'
import type { Sensitivities } from '../sensitivity/sensitivities.js'
import { firstUnquantizable, MAX_F16 } from './check-values.js'
import type { QuantizedModule } from './quantization-plan.js'
import type { RowQuantizer } from './row-quantizer.js'

export interface QuantizeMatrixOptions {
  readonly quantizer: RowQuantizer
  /** How much the squared error of each weight counts. Without: all the same. */
  readonly sensitivities?: Sensitivities | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the number of weights that have just been quantized. */
  readonly onWeights?: (count: number) => void
}

/**
 * Quantizes one matrix of a checkpoint, some rows at a time: besides the result, a few megabytes of weights are held.
 * @throws FileFormatError naming the tensor, row and column of a weight that is not finite or beyond half precision
 */
export async function quantizeMatrix(
  checkpoint: Checkpoint,
  { name, source, rows, cols, seedBits, maxBits }: QuantizedModule,
  { quantizer, sensitivities: known, signal, onWeights }: QuantizeMatrixOptions,
): Promise<BitPlaneWeight> {
  const whole = emptyWeight(rows, cols, seedBits, maxBits)
  const rowsPerCall = Math.max(1, Math.floor(quantizer.weightsPerCall / cols))
  for (let first = 0; first < rows; first += rowsPerCall) {
    signal?.throwIfAborted()
    const count = Math.min(rowsPerCall, rows - first)
    const tensor = (await checkpoint.readElements(source.name, first * cols, count * cols, { signal })) as FloatTensor
    const weights = toFloat32(tensor)
    const bad = firstUnquantizable(weights)
    if (bad >= 0) {
      const place = `row ${first + Math.floor(bad / cols)}, column ${bad % cols}`
      throw new FileFormatError(source.file, `expected finite values up to ${MAX_F16}, found ${weights[bad]} at ${place}`, {
        item: source.name,
      })
    }
    const sensitivities = await known?.rows(name, first, count, { signal })
    placeRows(whole, await quantizer.quantize(weights, { cols, seedBits, maxBits, sensitivities }), first)
    onWeights?.(count * cols)
  }
  return whole
}

function emptyWeight(rows: number, cols: number, seedBits: number, maxBits: number): BitPlaneWeight {
  const luts: Uint16Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) luts.push(new Uint16Array(rows * 2 ** bits))
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes: new Uint32Array(maxBits * rows * wordsPerRow(cols)), luts }
}

/** Writes `part` into `whole` as the rows from `first`. */
function placeRows(whole: BitPlaneWeight, part: BitPlaneWeight, first: number): void {
  const words = wordsPerRow(whole.cols)
  for (let plane = 0; plane < whole.maxBits; plane++) {
    const rows = part.planes.subarray(plane * part.rows * words, (plane + 1) * part.rows * words)
    whole.planes.set(rows, (plane * whole.rows + first) * words)
  }
  part.luts.forEach((lut, level) => {
    whole.luts[level].set(lut, first * 2 ** (whole.seedBits + level))
  })
}
