/**
 * out = A Bᵀ: dot products of rows, f64 sums in the order of the columns. 4 × 4 at a time, since 16 products per 8
 * loads are what scalar JavaScript is fastest at; at a ragged edge the last row stands in for those that are missing,
 * so that one value may be written several times.
 * @param a f32 [m, cols]
 * @param b f32 [n, cols]
 * @param out f64 [m, n]
 */
export function dotProducts(a: Float32Array, b: Float32Array, cols: number, out: Float64Array): void {
  const m = a.length / cols
  const n = b.length / cols
  for (let i0 = 0; i0 < m; i0 += 4) {
    const i1 = Math.min(i0 + 1, m - 1)
    const i2 = Math.min(i0 + 2, m - 1)
    const i3 = Math.min(i0 + 3, m - 1)
    const [a0, a1, a2, a3] = [i0 * cols, i1 * cols, i2 * cols, i3 * cols]
    for (let j0 = 0; j0 < n; j0 += 4) {
      const j1 = Math.min(j0 + 1, n - 1)
      const j2 = Math.min(j0 + 2, n - 1)
      const j3 = Math.min(j0 + 3, n - 1)
      const [b0, b1, b2, b3] = [j0 * cols, j1 * cols, j2 * cols, j3 * cols]
      let [s00, s01, s02, s03] = [0, 0, 0, 0]
      let [s10, s11, s12, s13] = [0, 0, 0, 0]
      let [s20, s21, s22, s23] = [0, 0, 0, 0]
      let [s30, s31, s32, s33] = [0, 0, 0, 0]
      for (let c = 0; c < cols; c++) {
        const x0 = a[a0 + c]
        const x1 = a[a1 + c]
        const x2 = a[a2 + c]
        const x3 = a[a3 + c]
        const y0 = b[b0 + c]
        const y1 = b[b1 + c]
        const y2 = b[b2 + c]
        const y3 = b[b3 + c]
        s00 += x0 * y0
        s01 += x0 * y1
        s02 += x0 * y2
        s03 += x0 * y3
        s10 += x1 * y0
        s11 += x1 * y1
        s12 += x1 * y2
        s13 += x1 * y3
        s20 += x2 * y0
        s21 += x2 * y1
        s22 += x2 * y2
        s23 += x2 * y3
        s30 += x3 * y0
        s31 += x3 * y1
        s32 += x3 * y2
        s33 += x3 * y3
      }
      put(out, i0 * n, j0, j1, j2, j3, s00, s01, s02, s03)
      put(out, i1 * n, j0, j1, j2, j3, s10, s11, s12, s13)
      put(out, i2 * n, j0, j1, j2, j3, s20, s21, s22, s23)
      put(out, i3 * n, j0, j1, j2, j3, s30, s31, s32, s33)
    }
  }
}

function put(
  out: Float64Array,
  row: number,
  j0: number,
  j1: number,
  j2: number,
  j3: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  out[row + j0] = s0
  out[row + j1] = s1
  out[row + j2] = s2
  out[row + j3] = s3
}
