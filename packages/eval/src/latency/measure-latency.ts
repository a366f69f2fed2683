import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import type { GenerateOptions, Model, PrecisionRequest } from '@dpllm/runtime'
import { interleavedRounds } from '../compare/rounds.js'
import { checkRequests, type RequestOptions } from '../requests/ask-request.js'
import { type Spread, spreadOf } from '../requests/spread.js'
import { type Answer, type AnswerToken, answerPrompt } from './answer-prompt.js'
import { type BitCounter, type BitHistogram, createBitCounter } from './bit-histogram.js'
import { type SelectorOverhead, selectorOverhead } from './selector-overhead.js'

/** What is needed of a model. */
export type LatencyModel = Pick<
  Model,
  'config' | 'linears' | 'tokenizer' | 'precision' | 'effectiveBits' | 'createCache' | 'run' | 'generate'
>

/** A precision that is measured. */
export type LatencyRequest = PrecisionRequest & Pick<GenerateOptions, 'feedback'>

export interface LatencyOptions extends Omit<RequestOptions, keyof LatencyRequest> {
  /** Measured by turns, prompt by prompt. */
  readonly requests: readonly LatencyRequest[]
  /** Answers whose tokens are given with their bits; default 3. */
  readonly texts?: number | undefined
  /** Rounds that the selector's overhead is measured in; default 7, 0 for not at all. */
  readonly overheadRounds?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Speed and bits of requests at one precision. */
export interface LatencyTarget {
  /** Null where everything that is loaded is read. */
  readonly targetBits: number | null
  readonly method: string | null
  /** From the request to its first token, in milliseconds. */
  readonly timeToFirstTokenMs: Spread
  /** TPOT: milliseconds for each token after the first, the mean of each request. */
  readonly timePerTokenMs: Spread
  /** Tokens after the first. */
  readonly tokensPerSecond: Spread
  /** Mean of each request's decode steps. */
  readonly effectiveBits: Spread
  /** Null for precisions that decide nothing per token. */
  readonly selectorOverhead: SelectorOverhead | null
  /** Null for an unquantized model. */
  readonly histogram: BitHistogram | null
  /** Every request, in the order of the prompts. */
  readonly requests: readonly Omit<Answer, 'prompt' | 'tokens' | 'ids'>[]
  /** The first answers, token by token. */
  readonly answers: readonly { readonly prompt: string; readonly tokens: readonly AnswerToken[] }[]
}

export interface LatencyResult {
  /** Tokens of each answer. */
  readonly maxTokens: number
  readonly targets: readonly LatencyTarget[]
}

/**
 * Times requests as a user sees them, with sampling and text: all precisions answer each prompt by turns, so that what slows
 * the machine down for a while slows down all of them. A first round that does not count warms up.
 * @throws InvalidArgumentError for no prompts or requests, answers of less than two tokens, or a precision that the model
 * cannot give
 */
export async function measureLatency(
  model: LatencyModel,
  prompts: readonly string[],
  { requests, texts = 3, overheadRounds, onProgress, ...options }: LatencyOptions,
): Promise<LatencyResult> {
  const maxTokens = checkRequests(prompts, options)
  if (requests.length === 0) throw new InvalidArgumentError('requests', 'at least one precision', 'none')
  const { signal } = options
  const subjects = requests.map((request) => ({ request, answers: [] as Answer[], counter: counterOf(model, maxTokens) }))
  let turns = 0
  await interleavedRounds(
    subjects.map(({ request, answers, counter }) => async () => {
      const round = Math.floor(turns++ / subjects.length) - 1
      const answer = await answerPrompt(model, prompts[Math.max(round, 0)], { ...options, ...request, maxTokens }, (...step) => {
        if (round >= 0) counter?.add(...step)
      })
      if (round >= 0) answers.push(answer)
    }),
    { rounds: prompts.length, signal, onProgress: onProgress && ((p) => onProgress({ ...p, stage: 'requests' })) },
  )
  const targets: LatencyTarget[] = []
  for (const { request, answers, counter } of subjects) {
    const overhead =
      overheadRounds === 0
        ? undefined
        : await selectorOverhead(model, answers[0].ids, { ...request, rounds: overheadRounds, signal, onProgress })
    targets.push(describe(model, request, answers, { texts, overhead, counter }))
  }
  return { maxTokens, targets }
}

function counterOf({ linears }: LatencyModel, maxTokens: number): BitCounter | undefined {
  return linears.length === 0 ? undefined : createBitCounter(linears, maxTokens - 1)
}

function describe(
  model: LatencyModel,
  { targetBits, precision, method }: LatencyRequest,
  answers: readonly Answer[],
  more: { texts: number; overhead: SelectorOverhead | undefined; counter: BitCounter | undefined },
): LatencyTarget {
  const spread = (key: 'timeToFirstTokenMs' | 'timePerTokenMs' | 'tokensPerSecond' | 'effectiveBits') =>
    spreadOf(answers.map((answer) => answer[key]))
  return {
    targetBits: targetBits ?? (typeof precision === 'number' ? precision : null),
    method: model.precision({ targetBits, precision, method }).method ?? null,
    timeToFirstTokenMs: spread('timeToFirstTokenMs'),
    timePerTokenMs: spread('timePerTokenMs'),
    tokensPerSecond: spread('tokensPerSecond'),
    effectiveBits: spread('effectiveBits'),
    selectorOverhead: more.overhead ?? null,
    histogram: more.counter?.histogram() ?? null,
    requests: answers.map(({ prompt: _, tokens: __, ids: ___, ...figures }) => figures),
    answers: answers.slice(0, more.texts).map(({ prompt, tokens }) => ({ prompt, tokens })),
  }
}
