import { createRandom } from '@dpllm/core'

/** A row with random codes, weights about what they stand for, and second moments of some samples of correlated inputs. */
export function randomRow({
  cols,
  classes,
  samples,
  used,
  seed,
}: {
  cols: number
  classes: number
  samples: number
  /** Part of the classes that have elements. */
  used: number
  seed: number
}) {
  const random = createRandom(seed)
  const old = Float64Array.from({ length: classes }, () => random.normal()).sort()
  const some = Array.from({ length: classes }, (_, c) => c).filter(() => random.uniform() < used)
  if (some.length === 0) some.push(classes - 1)
  const codes = Uint8Array.from({ length: cols }, () => some[random.uint32() % some.length])
  const weights = Float32Array.from(codes, (code) => old[code] + 0.3 * random.normal())
  return { old, codes, weights, covariance: randomCovariance(cols, samples, seed) }
}

/** Second moments f32 [cols, cols] of samples that have a direction in common, damped as measured ones are. */
export function randomCovariance(cols: number, samples: number, seed: number): Float32Array {
  const random = createRandom(seed ^ 0x5bd1e995)
  const direction = Float64Array.from({ length: cols }, () => random.normal())
  const sums = new Float64Array(cols * cols)
  for (let t = 0; t < samples; t++) {
    const along = random.normal()
    const x = direction.map((d) => along * d + random.normal())
    for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) sums[i * cols + j] += x[i] * x[j]
  }
  let trace = 0
  for (let k = 0; k < cols; k++) trace += sums[k * cols + k]
  for (let k = 0; k < cols; k++) sums[k * cols + k] += (1e-3 * trace) / cols
  return Float32Array.from(sums)
}

/** (w − A c)ᵀ H (w − A c). */
export function errorOf(covariance: Float32Array, codes: Uint8Array, weights: Float32Array, table: ArrayLike<number>): number {
  const cols = codes.length
  const off = Float64Array.from(weights, (w, k) => w - table[codes[k]])
  let error = 0
  for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) error += off[i] * covariance[i * cols + j] * off[j]
  return error
}

/** (AᵀHA + rI)⁻¹ (AᵀHw + r old) by dense matrices and Gauss–Jordan elimination with pivots; r as of `fitTable`. */
export function denseSolution(
  covariance: Float32Array,
  codes: Uint8Array,
  weights: Float32Array,
  old: Float64Array,
): Float64Array {
  const [cols, classes] = [codes.length, old.length]
  const system = Array.from({ length: classes }, () => new Float64Array(classes + 1))
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < cols; j++) {
      system[codes[i]][codes[j]] += covariance[i * cols + j]
      system[codes[i]][classes] += covariance[i * cols + j] * weights[j]
    }
  }
  const ridge = (1e-4 * system.reduce((sum, row, c) => sum + row[c], 0)) / classes
  system.forEach((row, c) => {
    row[c] += ridge
    row[classes] += ridge * old[c]
  })
  for (let c = 0; c < classes; c++) {
    let pivot = c
    for (let i = c + 1; i < classes; i++) if (Math.abs(system[i][c]) > Math.abs(system[pivot][c])) pivot = i
    const row = system[pivot]
    system[pivot] = system[c]
    system[c] = row.map((value) => value / row[c])
    system.forEach((other, i) => {
      if (i !== c) system[i] = other.map((value, j) => value - other[c] * system[c][j])
    })
  }
  return Float64Array.from(system, (row) => row[classes])
}
