import { InvalidArgumentError } from '@dpllm/core'
import { collect, type GenerateOptions, type Model, type PrecisionRequest, requestPolicy } from '@dpllm/runtime'
import { type LikelihoodModel, scorePairs } from './likelihood.js'
import type { GenerationSample, Grade, Likelihood, LikelihoodSample, TaskSample } from './task.js'

/** What is needed of a model. */
export type TaskModel = LikelihoodModel & Pick<Model, 'precision' | 'generate'>

/** How a model is asked. */
export interface AskOptions extends PrecisionRequest, Pick<GenerateOptions, 'feedback'> {
  /**
   * Whether log-likelihoods are of the precision that tokens are decoded at, every token of the text included. By default they
   * are what a prompt is: with a dynamic precision, at the most bits loaded.
   */
  readonly dynamicScoring?: boolean | undefined
  /** Most tokens of generated answers; default what the task says. */
  readonly maxTokens?: number | undefined
  /** Whether prompts begin with the tokens that the model expects. Default true. */
  readonly addSpecialTokens?: boolean | undefined
}

/** A sample's result: what was asked, what came back, and what that was worth. Contains nothing that depends on the clock. */
export interface SampleResult extends Grade {
  readonly id: string
  readonly group?: string
  readonly prompt: string
  /** Generated text. */
  readonly response?: string
  readonly finishReason?: string
  /** Continuations with their log-likelihoods; where contexts differ, with these. */
  readonly choices?: readonly (Likelihood & { readonly context?: string; readonly continuation: string })[]
  readonly target: string
  readonly promptTokens: number
  /** Generated, or scored. */
  readonly tokens: number
  /** Mean bits that these tokens read. */
  readonly effectiveBits: number
  /** Whether a prompt lost its beginning to fit the context. */
  readonly truncated: boolean
}

/** Asks a model one question and grades the answer. */
export async function answerSample(
  model: TaskModel,
  sample: TaskSample,
  options: AskOptions,
  signal?: AbortSignal,
): Promise<SampleResult> {
  return sample.kind === 'generation'
    ? generateAnswer(model, sample, options, signal)
    : compareLikelihoods(model, sample, options, signal)
}

async function generateAnswer(
  model: TaskModel,
  sample: GenerationSample,
  { dynamicScoring: _, addSpecialTokens = true, ...options }: AskOptions,
  signal?: AbortSignal,
): Promise<SampleResult> {
  const maxTokens = Math.min(options.maxTokens ?? sample.maxTokens, Math.floor(model.config.contextLength / 2))
  const whole = model.tokenizer.encode(sample.prompt, { addSpecialTokens })
  if (whole.length === 0) throw new InvalidArgumentError('prompt', 'at least one token', sample.prompt)
  const prompt = withoutMiddle(whole, model.config.contextLength - maxTokens, model.tokenizer.bosId)
  const request = { ...options, maxTokens, stop: sample.stop, temperature: 0, signal }
  const answer = await collect(model.generate(prompt, request))
  return {
    ...identified(sample),
    prompt: sample.prompt,
    response: answer.text,
    finishReason: answer.finishReason,
    target: sample.target,
    ...(await sample.grade(answer.text)),
    promptTokens: prompt.length,
    tokens: answer.tokens.length,
    effectiveBits: answer.effectiveBits,
    truncated: prompt.length < whole.length,
  }
}

/** The last `most` tokens of a prompt, after its beginning token. */
function withoutMiddle(tokens: Uint32Array, most: number, bosId: number | undefined): Uint32Array {
  if (tokens.length <= most) return tokens
  if (tokens[0] !== bosId) return tokens.slice(tokens.length - most)
  return Uint32Array.of(tokens[0], ...tokens.subarray(tokens.length - most + 1))
}

async function compareLikelihoods(
  model: TaskModel,
  sample: LikelihoodSample,
  { dynamicScoring = false, addSpecialTokens, targetBits, precision, method, feedback }: AskOptions,
  signal?: AbortSignal,
): Promise<SampleResult> {
  const chosen = model.precision({ targetBits, precision, method })
  const asDecoded = requestPolicy(chosen, { targetBits, feedback })
  const { policy, record } = dynamicScoring ? asDecoded : { policy: chosen.prefillPolicy, record: undefined }
  const scored = await scorePairs(model, sample.pairs, { policy, record, addSpecialTokens, signal })
  const [{ context }] = sample.pairs
  const shared = sample.pairs.every((pair) => pair.context === context)
  return {
    ...identified(sample),
    prompt: shared ? context : '',
    choices: sample.pairs.map((pair, i) => ({
      ...(shared ? {} : { context: pair.context }),
      continuation: pair.continuation,
      ...scored.likelihoods[i],
    })),
    target: sample.target,
    ...sample.grade(scored.likelihoods),
    promptTokens: scored.promptTokens,
    tokens: scored.tokens,
    effectiveBits: scored.effectiveBits,
    truncated: scored.truncated > 0,
  }
}

function identified({ id, group }: TaskSample): Pick<SampleResult, 'id' | 'group'> {
  return { id, ...(group === undefined ? {} : { group }) }
}
