import { type BitPlaneWeight, InvalidArgumentError, toFloat32, unpackPlanes, wordsPerRow } from '@dpllm/core'

/**
 * Reads rows `first` … `first + count − 1` of what belongs to a module, f32 [count, cols]: its original weights, its
 * sensitivities (`Sensitivities.rows`) or gradients (`GradientSums.readRows`).
 */
export type ModuleRowReader = (
  module: string,
  first: number,
  count: number,
  options?: { signal?: AbortSignal | undefined },
) => Promise<Float32Array>

/** What is read beside the quantized weight, row for row. */
export interface ErrorReaders {
  /** The weights W that were quantized. */
  readonly original: ModuleRowReader
  /** Diagonal Fisher information F, or whatever tells how much each weight matters; any positive factor. */
  readonly sensitivities?: ModuleRowReader | undefined
  /** Gradient g of the loss on calibration data, the mean over samples or their sum. */
  readonly gradients?: ModuleRowReader | undefined
}

/** Sums over the weights of a linear of what reading it at b bits changes, Δ_b = W − W_b; arrays [bit counts], fewest first. */
export interface QuantizationErrors {
  readonly module: string
  /** Number of weights, N · K. */
  readonly weights: number
  readonly minBits: number
  /** Σ Δ_b². */
  readonly squared: Float64Array
  /** Σ F Δ_b² and Σ F, with sensitivities. */
  readonly weighted?: Float64Array
  readonly trace?: number
  /** Σ g Δ_b, with gradients: gᵀ(W − W_b), signed. */
  readonly firstOrder?: Float64Array
}

/** Weights that are read at once, so that a few megabytes are held. */
const BLOCK = 2 ** 20

/**
 * Everything that cost tables (`cost-tables.ts`) need of one linear, in one pass over its weights, some rows at a time. Sums
 * are f64. Between blocks other work gets its turn and an abort is seen.
 * @param weight the bit-plane weight, at all bit counts that it has loaded
 * @throws InvalidArgumentError if a reader gives another number of values, or one that is not finite; the signal's reason
 */
export async function measureErrors(
  module: string,
  weight: BitPlaneWeight,
  readers: ErrorReaders,
  { signal, onWeights }: { signal?: AbortSignal | undefined; onWeights?: (count: number) => void } = {},
): Promise<QuantizationErrors> {
  const { rows, cols, seedBits, maxBits } = weight
  const count = maxBits - seedBits + 1
  const sums: Sums = {
    squared: new Float64Array(count),
    weighted: new Float64Array(count),
    firstOrder: new Float64Array(count),
    trace: 0,
  }
  const step = Math.max(1, Math.floor(BLOCK / cols))
  for (let first = 0; first < rows; first += step) {
    const size = Math.min(step, rows - first)
    const read = async (name: keyof ErrorReaders) => {
      const values = await readers[name]?.(module, first, size, { signal })
      if (values !== undefined && values.length !== size * cols)
        throw new InvalidArgumentError(name, `${size} rows of ${cols} values of ${module}`, values.length)
      return values
    }
    const [original, sensitivities, gradients] = [await read('original'), await read('sensitivities'), await read('gradients')]
    for (let row = 0; row < size; row++) {
      const part = (values: Float32Array | undefined) => values?.subarray(row * cols, (row + 1) * cols)
      addRow(sums, weight, first + row, part(original)!, part(sensitivities), part(gradients))
    }
    onWeights?.(size * cols)
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
  }
  const all = [...sums.squared, ...sums.weighted, ...sums.firstOrder, sums.trace]
  if (!all.every(Number.isFinite)) throw new InvalidArgumentError('readers', `finite values of ${module}`, 'others')
  const { squared, weighted, firstOrder, trace } = sums
  return {
    module,
    weights: rows * cols,
    minBits: seedBits,
    squared,
    ...(readers.sensitivities === undefined ? {} : { weighted, trace }),
    ...(readers.gradients === undefined ? {} : { firstOrder }),
  }
}

interface Sums {
  readonly squared: Float64Array
  readonly weighted: Float64Array
  readonly firstOrder: Float64Array
  trace: number
}

/** Adds one row, f32 [cols] each, at every bit count. */
function addRow(
  sums: Sums,
  weight: BitPlaneWeight,
  row: number,
  original: Float32Array,
  sensitivities: Float32Array | undefined,
  gradients: Float32Array | undefined,
): void {
  const { cols, seedBits, maxBits, luts } = weight
  const codes = rowCodes(weight, row)
  for (let bits = seedBits; bits <= maxBits; bits++) {
    const table = toFloat32({
      dtype: 'f16',
      shape: [2 ** bits],
      data: luts[bits - seedBits].subarray(row << bits, (row + 1) << bits),
    })
    let squared = 0
    let weighted = 0
    let firstOrder = 0
    for (let k = 0; k < cols; k++) {
      const error = original[k] - table[codes[k] >> (maxBits - bits)]
      squared += error * error
      if (sensitivities !== undefined) weighted += sensitivities[k] * error * error
      if (gradients !== undefined) firstOrder += gradients[k] * error
    }
    sums.squared[bits - seedBits] += squared
    sums.weighted[bits - seedBits] += weighted
    sums.firstOrder[bits - seedBits] += firstOrder
  }
  if (sensitivities !== undefined) sums.trace += sensitivities.reduce((sum, sensitivity) => sum + sensitivity, 0)
}

/** The codes of a row at the most bits, u8 [cols]. */
function rowCodes({ rows, cols, maxBits, planes }: BitPlaneWeight, row: number): Uint8Array {
  const words = wordsPerRow(cols)
  const own = new Uint32Array(maxBits * words)
  for (let plane = 0; plane < maxBits; plane++) {
    const start = (plane * rows + row) * words
    own.set(planes.subarray(start, start + words), plane * words)
  }
  return unpackPlanes(own, 1, cols, maxBits)
}
