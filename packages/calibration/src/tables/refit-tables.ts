import { type BitPlaneWeight, type FloatTensor, InvalidArgumentError, toFloat32 } from '@dpllm/core'
import { firstUnquantizable, MAX_F16 } from '../quantizer/check-values.js'
import { createTableRefitter, type TableRefitter } from './refitter.js'

/** Reads `count` rows of a matrix from `first`, f32 [count, cols]. */
export type RowReader = (first: number, count: number) => Float32Array | Promise<Float32Array>

export interface RefitTablesOptions {
  /** Bit counts whose tables are fitted; those that the weight does not have are left out. Default `REFIT_BITS`. */
  readonly bits?: readonly number[] | undefined
  /** Default: native code where it can be loaded, otherwise TypeScript; both give the same bytes. */
  readonly refitter?: TableRefitter | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the number of rows done. */
  readonly onRows?: ((done: number) => void) | undefined
}

/** Above 6 bits the means are as good as exact, and the time for a row grows with the cube of the table. */
export const REFIT_BITS: readonly number[] = [3, 4, 5, 6]

/**
 * Fits the tables of a weight to its inputs by least squares (decision 8): for every row and bit count the entries of
 * least squared error of the output, the codes as they are (`fitTable`). Tables ascend; their error is never above the
 * old one's but for the rounding to halves.
 * @param original rows of the matrix that `weight` stands for
 * @param covariance f32 [cols, cols], symmetric: second moments of the inputs, damped (`dampCovariance`), of any scale
 * @returns all tables of the weight, as in `BitPlaneWeight.luts`; those of other bit counts are the weight's own
 * @throws InvalidArgumentError, and the signal's reason
 */
export async function refitTables(
  weight: BitPlaneWeight,
  original: RowReader,
  covariance: Float32Array,
  options: RefitTablesOptions = {},
): Promise<Uint16Array[]> {
  const { refitter = createTableRefitter(), signal, onRows } = options
  const { rows, cols, seedBits, maxBits } = weight
  if (covariance.length !== cols * cols)
    throw new InvalidArgumentError('covariance', `${cols} × ${cols} values`, covariance.length)
  const luts = weight.luts.slice()
  const bits = [...new Set(options.bits ?? REFIT_BITS)].filter((b) => b >= seedBits && b <= maxBits).sort((a, b) => a - b)
  if (bits.length === 0) return luts
  for (const b of bits) luts[b - seedBits] = new Uint16Array(rows * 2 ** b)

  const rowsPerCall = refitter.rowsPerCall(cols)
  for (let first = 0; first < rows; first += rowsPerCall) {
    signal?.throwIfAborted()
    const count = Math.min(rowsPerCall, rows - first)
    const part = await original(first, count)
    checkRows(part, first, count, cols)
    const fitted = await refitter.refit({ covariance, weight, original: part, first, bits })
    bits.forEach((b, i) => {
      luts[b - seedBits].set(fitted[i], first * 2 ** b)
    })
    onRows?.(first + count)
  }
  return luts
}

function checkRows(part: Float32Array, first: number, count: number, cols: number): void {
  if (part.length !== count * cols) throw new InvalidArgumentError('original', `${count} rows of ${cols} values`, part.length)
  const bad = firstUnquantizable(part)
  if (bad < 0) return
  const place = `row ${first + Math.floor(bad / cols)}, column ${bad % cols}`
  throw new InvalidArgumentError('original', `finite values up to ${MAX_F16}`, `${part[bad]} at ${place}`)
}

/** Reads rows of a dense matrix in memory, whose elements are widened a part at a time. */
export function rowsOf(tensor: FloatTensor): RowReader {
  const cols = tensor.shape[1]
  return (first, count) => {
    const [begin, end] = [first * cols, (first + count) * cols]
    if (tensor.dtype === 'f32') return tensor.data.subarray(begin, end)
    return toFloat32({ dtype: tensor.dtype, shape: [count, cols], data: tensor.data.subarray(begin, end) })
  }
}
