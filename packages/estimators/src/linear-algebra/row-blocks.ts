import { InvalidArgumentError } from '@dpllm/core'

/** Gives row n of a matrix, f32 [cols]. It may be one array, filled anew by each call. */
export type RowOf = (n: number) => Float32Array

/** Rows held at once: enough for the products of blocks to be fast, some 100 KB at K = 1000. */
const BLOCK = 32

/**
 * Reads a matrix in blocks of rows, in order.
 * @throws InvalidArgumentError for a row of another length
 * @yields the first row's number and f32 [block rows, cols], valid until the next block
 */
export function* rowBlocks(rows: number, cols: number, rowOf: RowOf): Generator<[first: number, block: Float32Array]> {
  const buffer = new Float32Array(Math.min(BLOCK, rows) * cols)
  for (let first = 0; first < rows; first += BLOCK) {
    const count = Math.min(BLOCK, rows - first)
    for (let i = 0; i < count; i++) {
      const row = rowOf(first + i)
      if (row.length !== cols) throw new InvalidArgumentError('rowOf', `rows of ${cols}`, `one of ${row.length}`)
      buffer.set(row, i * cols)
    }
    yield [first, buffer.subarray(0, count * cols)]
  }
}
