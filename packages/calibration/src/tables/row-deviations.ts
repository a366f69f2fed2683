import { type FloatTensor, toFloat32 } from '@dpllm/core'

/** Standard deviation of every row of a dense matrix [rows, cols], f32 [rows]. */
export function rowDeviations({ dtype, shape: [rows, cols], data }: FloatTensor): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    const values = toFloat32({ dtype, shape: [cols], data: data.subarray(row * cols, (row + 1) * cols) } as FloatTensor)
    let sum = 0
    for (let k = 0; k < cols; k++) sum += values[k]
    const mean = sum / cols
    let squares = 0
    for (let k = 0; k < cols; k++) squares += (values[k] - mean) ** 2
    return Math.sqrt(squares / cols)
  })
}
