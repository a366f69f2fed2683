import { InvalidArgumentError } from '@dpllm/core'

/** A mean and how far it is likely to be off. */
export interface Mean {
  readonly mean: number
  /** Standard error of the mean, from the sample's variance; 0 for fewer than two values. */
  readonly standardError: number
}

/** Mean of n values and √((mean of squares − mean²) / (n − 1)), as llama-perplexity computes it. */
export function meanOf(values: ArrayLike<number>): Mean {
  const n = values.length
  let sum = 0
  for (let i = 0; i < n; i++) sum += values[i]
  const mean = sum / n
  // The squares of differences: the difference of squares would cancel.
  let squares = 0
  for (let i = 0; i < n; i++) squares += (values[i] - mean) ** 2
  return { mean, standardError: n < 2 ? 0 : Math.sqrt(squares / n / (n - 1)) }
}

/** Anything with one loss for each token, such as a `PerplexityResult`. */
export interface TokenLosses {
  /** Negative log-likelihood of each scored token, in nats. */
  readonly nll: Float32Array
}

/**
 * How much worse b predicts the same tokens than a, in nats per token: b's mean loss minus a's. Its standard error is
 * that of the differences, much smaller than those of a and b, since both find the same tokens hard.
 * exp(mean) is the ratio of their perplexities.
 * @throws InvalidArgumentError if the two are not of the same tokens
 */
export function pairedDifference(a: TokenLosses, b: TokenLosses): Mean {
  if (a.nll.length !== b.nll.length || a.nll.length === 0) {
    throw new InvalidArgumentError('b', `losses of the same ${a.nll.length} tokens`, `${b.nll.length} tokens`)
  }
  return meanOf(Float64Array.from(a.nll, (loss, i) => b.nll[i] - loss))
}

/**
 * f64 [chunks]: the mean loss of each chunk, in nats. Enough to compare two results of the same chunks later, as losses of
 * tokens in one chunk depend on each other anyway.
 * @param result.chunkTokens scored tokens of each chunk; default the same number of all
 */
export function chunkLosses({
  nll,
  chunks,
  chunkTokens = Array.from({ length: chunks }, () => nll.length / chunks),
}: TokenLosses & { readonly chunks: number; readonly chunkTokens?: readonly number[] }): Float64Array {
  let begin = 0
  return Float64Array.from(chunkTokens, (length) => {
    const { mean } = meanOf(nll.subarray(begin, begin + length))
    begin += length
    return mean
  })
}
