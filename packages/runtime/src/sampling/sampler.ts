import { createRandom, InvalidArgumentError } from '@dpllm/core'
import { draw } from './draw.js'
import { greedy } from './greedy.js'
import { minP } from './min-p.js'
import { logSumExp } from './softmax.js'
import { topK } from './top-k.js'
import { topP } from './top-p.js'

/**
 * How tokens are chosen. The filters apply in the order of llama.cpp: top-k, top-p, min-p, then temperature; so
 * top-p and min-p look at probabilities at temperature 1, top-p at those among the k.
 */
export interface SamplingOptions {
  /** 0, the default, always takes the most likely token. */
  readonly temperature?: number | undefined
  /** Keep the k most likely tokens; 0, the default, keeps all. */
  readonly topK?: number | undefined
  /** Keep the most likely tokens that together reach this probability. Default 1: all. */
  readonly topP?: number | undefined
  /** Keep tokens at least this many times as likely as the most likely one. Default 0: all. */
  readonly minP?: number | undefined
  /** Same seed, same tokens: an integer of 32 bits. By default another one for each sampler. */
  readonly seed?: number | undefined
}

export interface Sample {
  readonly token: number
  /** Natural logarithm of the token's probability as the model gives it: at temperature 1 and before any filter. */
  readonly logprob: number
}

export interface Sampler {
  /**
   * Chooses the next token.
   * @param logits f32 [V], not changed
   * @throws DpllmError (ERR_DPLLM_LOGITS) for NaN, +∞, or nothing finite
   */
  sample(logits: Float32Array): Sample
}

/** @throws InvalidArgumentError for options out of range */
export function createSampler(options: SamplingOptions = {}): Sampler {
  const { temperature = 0, topK: k = 0, topP: p = 1, minP: least = 0, seed = Math.floor(Math.random() * 2 ** 32) } = options
  check('temperature', temperature >= 0 && temperature < Number.POSITIVE_INFINITY, 'a finite number, at least 0', temperature)
  check('topK', Number.isInteger(k) && k >= 0, 'an integer, at least 0', k)
  check('topP', p > 0 && p <= 1, 'a number above 0, at most 1', p)
  check('minP', least >= 0 && least <= 1, 'a number from 0 to 1', least)
  check('seed', Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'an integer from 0 to 2^32 - 1', seed)
  const random = createRandom(seed)
  let all = new Uint32Array(0)
  const allTokens = (count: number) => {
    if (all.length !== count) all = Uint32Array.from({ length: count }, (_, v) => v)
    return all
  }
  return {
    sample(logits) {
      const logTotal = logSumExp(logits)
      const token =
        temperature === 0
          ? greedy(logits)
          : draw(logits, candidates(logits, k, p, least, logTotal, allTokens), temperature, random)
      return { token, logprob: logits[token] - logTotal }
    },
  }
}

/** @param allTokens the ids below a count; not changed */
function candidates(
  logits: Float32Array,
  k: number,
  p: number,
  least: number,
  logTotal: number,
  allTokens: (count: number) => Uint32Array,
): Uint32Array {
  let ids: Uint32Array
  if (k > 0 && k < logits.length) {
    ids = topK(logits, k)
    if (p < 1) ids = topP(logits, ids, p, logSumExp(Float32Array.from(ids, (id) => logits[id])))
  } else {
    ids = p < 1 ? nucleus(logits, p, logTotal) : allTokens(logits.length)
  }
  return least > 0 ? minP(logits, ids, least) : ids
}

/** Top-p of all tokens. Sorts no more of them than it needs: mostly a few hundred have nearly all of the probability. */
function nucleus(logits: Float32Array, p: number, logTotal: number): Uint32Array {
  for (let k = 256; ; k *= 8) {
    const ids = topK(logits, k)
    const kept = topP(logits, ids, p, logTotal)
    if (kept.length < ids.length || ids.length === logits.length) return kept
  }
}

function check(argument: string, holds: boolean, wanted: string, found: number): void {
  if (!holds) throw new InvalidArgumentError(argument, wanted, found)
}
