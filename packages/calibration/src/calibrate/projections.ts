import { type BitPlaneWeight, dequantizeRow, type Tensor, toFloat16, toFloat32 } from '@dpllm/core'
import { createProjection } from '@dpllm/estimators'

/** G = A (W_high − W_low) of a weight, f32 [k, cols], rounded to f16 as profiles store it (DP-LLM §5.1). */
export function projectionOf(weight: BitPlaneWeight, low: number, high: number, seed: number): Tensor<'f32'> {
  const upper = new Float32Array(weight.cols)
  const lower = new Float32Array(weight.cols)
  const { shape, data } = createProjection(
    weight.rows,
    weight.cols,
    (n) => {
      dequantizeRow(weight, high, n, upper)
      dequantizeRow(weight, low, n, lower)
      for (let i = 0; i < upper.length; i++) upper[i] -= lower[i]
      return upper
    },
    { seed },
  )
  return { dtype: 'f32', shape, data: toFloat32({ dtype: 'f16', shape, data: toFloat16(data) }) }
}
