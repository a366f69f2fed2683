import { tokenCount } from './token-count.js'

/**
 * ‖x‖₂ of every token, f32 [n]: the input of linear estimates, shared by all linears that read x.
 * @param x f32 [n, cols]
 */
export function inputNorms(x: Float32Array, cols: number): Float32Array {
  return Float32Array.from({ length: tokenCount(x, cols) }, (_, t) => {
    let squares = 0
    for (let i = t * cols; i < (t + 1) * cols; i++) squares += x[i] * x[i]
    return Math.sqrt(squares)
  })
}
