import type { GradientSums } from './gradient-sums.js'
import type { InputMoments } from './input-moments.js'

/** How much the loss grows with the squared error of each weight, up to a factor for each row. */
export interface Sensitivities extends AsyncDisposable {
  /** Rows `first` … `first + count − 1` of a module, f32 [count, cols], finite, not negative. */
  rows(module: string, first: number, count: number, options?: { signal?: AbortSignal | undefined }): Promise<Float32Array>
}

/** Every weight counts as much as its column's input is large. */
export function inputSensitivities(moments: InputMoments): Sensitivities {
  return {
    async rows(module, _, count) {
      const row = moments.get(module)!
      const rows = new Float32Array(count * row.length)
      for (let r = 0; r < count; r++) rows.set(row, r * row.length)
      return rows
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Weights that are read at a time to add up columns. */
const BLOCK = 2 ** 20

/**
 * Every weight counts as much as its Fisher information F, moved towards that of its column in the whole matrix: row n
 * becomes (1 − smoothing) · F_n / mean(F_n) + smoothing · c / mean(c), where c_k = Σ_n F_nk. Few samples tell little of
 * single weights, but much of columns, which all rows share. A row without gradients gets c alone.
 * @param smoothing 0 leaves the Fisher information as it is, 1 takes the columns alone
 */
export function fisherSensitivities(fisher: GradientSums, smoothing: number): Sensitivities {
  const profiles = new Map<string, Promise<Float64Array>>()
  return {
    async rows(module, first, count, options) {
      const rows = await fisher.readRows(module, first, count, options)
      if (smoothing === 0) return rows
      const profile = profiles.get(module) ?? columnProfile(fisher, module, options)
      profiles.set(module, profile)
      return smooth(rows, await profile, smoothing)
    },
    [Symbol.asyncDispose]: () => fisher[Symbol.asyncDispose](),
  }
}

/** Column sums divided by their mean, f64 [cols]; zeros if there is nothing to divide. */
async function columnProfile(
  fisher: GradientSums,
  module: string,
  options?: { signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const [rows, cols] = fisher.shapes.get(module)!
  const sums = new Float64Array(cols)
  const step = Math.max(1, Math.floor(BLOCK / cols))
  for (let first = 0; first < rows; first += step) {
    const block = await fisher.readRows(module, first, Math.min(step, rows - first), options)
    for (let i = 0; i < block.length; i++) sums[i % cols] += block[i]
  }
  const mean = sums.reduce((a, b) => a + b) / cols
  return mean === 0 ? sums : sums.map((x) => x / mean)
}

function smooth(rows: Float32Array, profile: Float64Array, smoothing: number): Float32Array {
  const cols = profile.length
  const smoothed = new Float32Array(rows.length)
  for (let begin = 0; begin < rows.length; begin += cols) {
    let sum = 0
    for (let k = 0; k < cols; k++) sum += rows[begin + k]
    const scale = sum === 0 ? 0 : ((1 - smoothing) * cols) / sum
    for (let k = 0; k < cols; k++) smoothed[begin + k] = scale * rows[begin + k] + smoothing * profile[k]
  }
  return smoothed
}
