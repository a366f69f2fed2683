import type { OnProgress } from '@dpllm/core'
import { dotProducts } from './linear-algebra/dot-products.js'
import { type RowOf, rowBlocks } from './linear-algebra/row-blocks.js'
import { createPauses } from './pauses.js'
import { tokenCount } from './token-count.js'

/**
 * The true errors ‖D x‖₂ of tokens, f32 [n]: what estimators estimate. It costs one product with the whole matrix per
 * token, n · rows · cols multiplications; an engine with kernels of its own computes them faster.
 * @param rowOf gives row n of D = W_high − W_low, f32 [cols]
 * @param x f32 [n, cols]
 * @throws InvalidArgumentError, the signal's reason
 */
export async function errorNorms(
  rows: number,
  cols: number,
  rowOf: RowOf,
  x: Float32Array,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined } = {},
): Promise<Float32Array> {
  const n = tokenCount(x, cols)
  const squares = new Float64Array(n)
  const pause = createPauses(signal)
  for (const [first, block] of rowBlocks(rows, cols, rowOf)) {
    const count = block.length / cols
    const products = new Float64Array(n * count)
    dotProducts(x, block, cols, products)
    for (let t = 0; t < n; t++) for (let i = t * count; i < (t + 1) * count; i++) squares[t] += products[i] * products[i]
    await pause()
    onProgress?.({ stage: 'true errors', done: first + count, total: rows, unit: 'rows' })
  }
  return Float32Array.from(squares, Math.sqrt)
}
