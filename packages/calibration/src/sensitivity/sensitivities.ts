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

/** Every weight counts as much as its Fisher information (SqueezeLLM §3.2, Any-Precision LLM §3.1). */
export function fisherSensitivities(fisher: GradientSums): Sensitivities {
  return { rows: fisher.readRows, [Symbol.asyncDispose]: () => fisher[Symbol.asyncDispose]() }
}

/**
 * Fisher information F that leans on the inputs x: row n becomes
 * (1 − smoothing) · F_n / mean(F_n) + smoothing · E[x²] / mean(E[x²]). The samples that gradients are measured on are few, and
 * what they say of a single weight is mostly noise; the moments of inputs, which all rows share, are known well. A row
 * without gradients has its inputs alone.
 * @param smoothing from 0 to 1
 */
export function smoothedSensitivities(fisher: GradientSums, moments: InputMoments, smoothing: number): Sensitivities {
  return {
    async rows(module, first, count, options) {
      const rows = await fisher.readRows(module, first, count, options)
      const inputs = moments.get(module)!
      const cols = inputs.length
      const inputScale = scaleTo(smoothing, inputs)
      for (let begin = 0; begin < rows.length; begin += cols) {
        const scale = scaleTo(1 - smoothing, rows.subarray(begin, begin + cols))
        for (let k = 0; k < cols; k++) rows[begin + k] = scale * rows[begin + k] + inputScale * inputs[k]
      }
      return rows
    },
    [Symbol.asyncDispose]: () => fisher[Symbol.asyncDispose](),
  }
}

/** What a vector is multiplied by to have that mean; 0 for zeros. */
function scaleTo(mean: number, vector: Float32Array): number {
  let sum = 0
  for (const value of vector) sum += value
  return sum === 0 ? 0 : (mean * vector.length) / sum
}
