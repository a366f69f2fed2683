import { InvalidArgumentError } from '@dpllm/core'

/** |A ∩ B| / |A ∪ B| of two sets of tokens; 1 for two empty ones. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  const [left, right] = [new Set(a), new Set(b)]
  let common = 0
  for (const token of left) if (right.has(token)) common++
  const union = left.size + right.size - common
  return union === 0 ? 1 : common / union
}

/**
 * How much a block changes what would be predicted (LSAQ, arXiv 2412.18135): 1 − the mean, over positions, of the Jaccard
 * similarity of the likeliest tokens before and after it, each read from the residual stream through the final norm and the
 * head. The paper leaves open whether the norm is applied, which positions count and whether their sets are united: here it
 * is, all do, and they are not.
 * @param inputs the top tokens at the block's input, a set for each position
 * @param outputs the same at its output
 * @returns from 0 (the same tokens everywhere) to 1 (others everywhere)
 */
export function blockImportance(inputs: readonly Uint32Array[], outputs: readonly Uint32Array[]): number {
  if (inputs.length === 0 || outputs.length !== inputs.length)
    throw new InvalidArgumentError('outputs', 'a set for each position of inputs, at least one', outputs.length)
  return 1 - inputs.reduce((sum, tokens, t) => sum + jaccard(tokens, outputs[t]), 0) / inputs.length
}
