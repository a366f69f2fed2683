import type { Policy } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import { bitsOfRows, scoringSteps, usualBatch } from '../perplexity/steps.js'
import type { Likelihood, TextPair } from './task.js'

/** What is needed of a model. */
export type LikelihoodModel = Pick<Model, 'config' | 'effectiveBits' | 'createCache' | 'run'> & {
  readonly tokenizer: Pick<Model['tokenizer'], 'encode' | 'bosId' | 'eosIds'>
}

export interface LikelihoodOptions {
  /** Of every token, as in perplexity. */
  readonly policy?: Policy | undefined
  /** Told after each step what its scored tokens read. */
  readonly record?: ((bits: number, tokens: number) => void) | undefined
  /** Whether texts begin with the tokens that the model expects. Default true. */
  readonly addSpecialTokens?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Likelihoods {
  /** One for each pair. */
  readonly likelihoods: readonly Likelihood[]
  /** Tokens of the contexts, those of each pair by itself. */
  readonly promptTokens: number
  /** Tokens of the continuations. */
  readonly tokens: number
  /** Mean bits that the scored positions read. */
  readonly effectiveBits: number
  /** Pairs that had to lose their beginning to fit the context. */
  readonly truncated: number
}

/** A text's tokens; those from `first` on are the continuation's. */
interface Encoded {
  readonly tokens: Uint32Array
  readonly first: number
}

/**
 * Log-likelihoods of continuations. What a pair's tokens begin with in common with those before it is not run again, so that
 * choices cost little more than their context.
 */
export async function scorePairs(
  model: LikelihoodModel,
  pairs: readonly TextPair[],
  { policy, record, addSpecialTokens, signal }: LikelihoodOptions = {},
): Promise<Likelihoods> {
  const most = model.config.contextLength + 1
  const encoded = pairs.map((pair) => encodePair(model.tokenizer, pair, addSpecialTokens))
  const fitted = encoded.map((text) => withoutBeginning(text, most))
  const batch = usualBatch(model.config.vocabularySize)
  using cache = model.createCache(Math.max(...fitted.map(({ tokens }) => tokens.length)))
  const likelihoods: Likelihood[] = []
  let held: Uint32Array = new Uint32Array(0)
  let [bitSum, scored] = [0, 0]
  for (const { tokens, first } of fitted) {
    // The prediction of the first token of the continuation is made at the one before it.
    const firstScored = first - 1
    const start = Math.min(commonLength(held, tokens), firstScored)
    let logLikelihood = 0
    let greedy = true
    for (const step of scoringSteps({ tokens, firstScored }, batch, { start, outputs: ['loss', 'logits'] })) {
      signal?.throwIfAborted()
      const { outputs, bits } = await model.run({ ...step, cache, policy, signal })
      const { rows, targets } = step
      if (rows.length === 0) continue
      for (const loss of outputs.loss) logLikelihood -= loss
      greedy &&= allLikeliest(outputs.logits, targets)
      const effectiveBits = model.effectiveBits(bitsOfRows(bits, step.tokens.length, rows), rows.length)
      record?.(effectiveBits, rows.length)
      bitSum += effectiveBits * rows.length
      scored += rows.length
    }
    held = tokens.subarray(0, tokens.length - 1)
    likelihoods.push({ logLikelihood, greedy })
  }
  const truncated = encoded.filter(({ tokens }) => tokens.length > most).length
  const promptTokens = fitted.reduce((sum, { first }) => sum + first, 0)
  return { likelihoods, promptTokens, tokens: scored, effectiveBits: bitSum / scored, truncated }
}

/**
 * The tokens of context and continuation as one text, as a tokenizer may join both: spaces at the end of the context belong
 * to the continuation. An empty context is the beginning token, or where there is none the one that ends texts.
 */
export function encodePair(
  tokenizer: LikelihoodModel['tokenizer'],
  { context, continuation }: TextPair,
  addSpecialTokens = true,
): Encoded {
  const trimmed = context.trimEnd()
  const whole = context + continuation
  if (trimmed === '') {
    const text = tokenizer.encode(whole, { addSpecialTokens: false })
    const begin = tokenizer.bosId ?? tokenizer.eosIds[0]
    return { tokens: Uint32Array.of(...(begin === undefined ? [] : [begin]), ...text), first: 1 }
  }
  // Where the continuation begins is told by the length of the context's own tokens, as in the harness.
  const first = tokenizer.encode(trimmed, { addSpecialTokens }).length
  const tokens = tokenizer.encode(whole, { addSpecialTokens })
  return { tokens, first: Math.max(1, Math.min(first, tokens.length - 1)) }
}

/** The last `most` tokens; the continuation's first stays predicted by something. */
function withoutBeginning({ tokens, first }: Encoded, most: number): Encoded {
  const cut = Math.max(tokens.length - most, 0)
  return { tokens: tokens.subarray(cut), first: Math.max(first - cut, 1) }
}

function commonLength(a: Uint32Array, b: Uint32Array): number {
  const length = Math.min(a.length, b.length)
  let i = 0
  while (i < length && a[i] === b[i]) i++
  return i
}

/** Whether each row's greatest logit is its target's. @param logits f32 [R, V] */
function allLikeliest(logits: Float32Array, targets: Uint32Array): boolean {
  const width = logits.length / targets.length
  return targets.every((target, row) => {
    const wanted = logits[row * width + target]
    return logits.subarray(row * width, (row + 1) * width).every((logit) => logit <= wanted)
  })
}
