/**
 * Reorders the rows of a q or k projection from rotary pairs side by side (component 2i turns with 2i + 1, llama2.c)
 * to split halves (i turns with i + headDim / 2, Hugging Face): row 2i + j of a head becomes row j · headDim / 2 + i.
 * @param weight f32 [rows, cols]; rows = heads · headDim
 * @returns a new array
 */
export function splitHalves(weight: Float32Array, heads: number, rows: number, cols: number): Float32Array {
  const half = rows / heads / 2
  const out = new Float32Array(weight.length)
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let j = 0; j < 2; j++) {
        const from = (2 * (head * half + i) + j) * cols
        out.set(weight.subarray(from, from + cols), ((2 * head + j) * half + i) * cols)
      }
    }
  }
  return out
}
