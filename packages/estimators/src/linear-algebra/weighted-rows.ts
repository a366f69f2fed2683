/**
 * out += Wᵀ X: adds the rows of x, weighted, to every row of out. Each sum is in f64 and in the order of the rows of
 * x, so that its bits depend on nothing else.
 * @param weights f64 [n, m]
 * @param x f32 [n, cols]
 * @param out f64 [m, cols]
 */
export function addWeightedRows(weights: Float64Array, x: Float32Array, cols: number, out: Float64Array): void {
  const n = x.length / cols
  const m = out.length / cols
  const blocks = n - (n % 4)
  for (let t = 0; t < blocks; t += 4) {
    const [x0, x1, x2, x3] = [t * cols, (t + 1) * cols, (t + 2) * cols, (t + 3) * cols]
    for (let j = 0; j < m; j++) {
      const w0 = weights[t * m + j]
      const w1 = weights[(t + 1) * m + j]
      const w2 = weights[(t + 2) * m + j]
      const w3 = weights[(t + 3) * m + j]
      const o = j * cols
      for (let c = 0; c < cols; c++) {
        out[o + c] = out[o + c] + w0 * x[x0 + c] + w1 * x[x1 + c] + w2 * x[x2 + c] + w3 * x[x3 + c]
      }
    }
  }
  for (let t = blocks; t < n; t++) {
    for (let j = 0; j < m; j++) {
      const w = weights[t * m + j]
      for (let c = 0; c < cols; c++) out[j * cols + c] += w * x[t * cols + c]
    }
  }
}
