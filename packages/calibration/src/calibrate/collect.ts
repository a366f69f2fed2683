import type { Policy } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import { runWindows } from './run-windows.js'

/** What the select operators saw and decided over all windows, each array by linear. */
export interface Observation {
  /** f32 [tokens] for every linear. */
  readonly estimates: readonly Float32Array[]
  /** Parameter-weighted mean over linears and tokens. */
  readonly effectiveBits: number
}

/** Tokens of one step; bounds the memory of activations. */
const CHUNK = 128

/**
 * Runs every window through the model as it decodes: each token of each window reads the bits that the policy decides.
 * @param onTokens called with the number of tokens done
 */
export async function observe(
  model: Model,
  windows: readonly Uint32Array[],
  policy: Policy,
  options: { signal?: AbortSignal | undefined; onTokens?: (tokens: number) => void } = {},
): Promise<Observation> {
  const total = windows.reduce((sum, w) => sum + w.length, 0)
  const estimates = model.linears.map(() => new Float32Array(total))
  let bits = 0
  // With its logits, as the last block's selects behind its attention run only for what an output needs.
  const steps = runWindows(model, windows, () => ({ policy }), { chunk: CHUNK, signal: options.signal })
  for await (const { tokens, result, done } of steps) {
    const T = tokens.length
    model.linears.forEach((_, i) => {
      estimates[i].set(result.estimates.subarray(i * T, (i + 1) * T), done - T)
    })
    bits += model.effectiveBits(result.bits, T) * T
    options.onTokens?.(done)
  }
  return { estimates, effectiveBits: bits / total }
}
