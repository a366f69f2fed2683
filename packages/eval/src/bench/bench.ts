import { createRandom, InvalidArgumentError, type OnProgress, profileSince, type StepProfile, type StepResult } from '@dpllm/core'
import { type Model, type PrecisionRequest, type RequestPolicy, requestPolicy } from '@dpllm/runtime'
import { createEnergySum, type EnergyMeter } from './energy.js'

/** What is needed of a model. */
export type BenchModel = Pick<Model, 'config' | 'precision' | 'effectiveBits' | 'createCache' | 'run'>

export interface BenchOptions extends PrecisionRequest {
  /** Lengths of prompts to measure; default [512]. */
  readonly promptTokens?: readonly number[]
  /** Numbers of tokens to generate, one by one from an empty context; default [128]. */
  readonly generatedTokens?: readonly number[]
  /** Runs of each test; default 5. */
  readonly repetitions?: number
  /** Runs before them that do not count; default 1. */
  readonly warmup?: number
  /** Tokens of a prompt that run in one step; default 512. */
  readonly batchSize?: number
  /** Whether each run that generates holds a dynamic precision at its target, as `generate` does. Default true. */
  readonly feedback?: boolean | undefined
  /** The one that the model's backend was given: rows then say where the time of their repetitions went. */
  readonly stepProfile?: StepProfile | undefined
  /** Rows then say what energy a token took: of the whole processors, whatever else they did meanwhile. */
  readonly energyMeter?: EnergyMeter | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface BenchRow {
  /** `pp512`: a prompt of 512 tokens; `tg128`: 128 tokens generated; named as llama-bench does. */
  readonly test: string
  readonly effectiveBits: number
  /** Mean over the repetitions. */
  readonly tokensPerSecond: number
  /** Sample standard deviation of the repetitions. */
  readonly standardDeviation: number
  /** Tokens per second of each repetition. */
  readonly samples: readonly number[]
  /** Of the repetitions; null without `BenchOptions.energyMeter`. */
  readonly joulesPerToken: number | null
  /** Of the repetitions, where `BenchOptions.stepProfile` is there. */
  readonly stepProfile?: StepProfile
}

/**
 * Measures a model's speed on random tokens, without tokenizer and sampling, as llama-bench does. Prompts run at the
 * precision that generation gives them, which for dynamic precisions is the most bits loaded.
 * @throws InvalidArgumentError for lengths beyond the model's context and precisions that it cannot give
 */
export async function bench(model: BenchModel, options: BenchOptions = {}): Promise<BenchRow[]> {
  const {
    promptTokens = [512],
    generatedTokens = [128],
    repetitions = 5,
    warmup = 1,
    batchSize = 512,
    stepProfile,
    energyMeter,
    signal,
    onProgress,
  } = options
  const energy = energyMeter && createEnergySum(energyMeter)
  checkCount('repetitions', repetitions, 1)
  checkCount('warmup', warmup, 0)
  checkCount('batchSize', batchSize, 1)
  const { targetBits, precision, method } = options
  const chosen = model.precision({ targetBits, precision, method })
  const reading = (): RequestPolicy => ({ policy: chosen.prefillPolicy })
  const generating = () => requestPolicy(chosen, options)
  const tests = [
    ...promptTokens.map((tokens) => ({ name: `pp${tokens}`, tokens, batch: batchSize, request: reading })),
    ...generatedTokens.map((tokens) => ({ name: `tg${tokens}`, tokens, batch: 1, request: generating })),
  ]
  for (const { name, tokens } of tests) checkCount(name, tokens, 1, model.config.contextLength)

  const rows: BenchRow[] = []
  const runs = warmup + repetitions
  for (const test of tests) {
    const tokens = randomTokens(test.tokens, model.config.vocabularySize)
    using cache = model.createCache(test.tokens)
    const samples: number[] = []
    let bitSum = 0
    let result: StepResult | undefined
    let before = structuredClone(stepProfile)
    for (let run = 0; run < runs; run++) {
      const { policy, record } = test.request()
      if (run === warmup) {
        before = structuredClone(stepProfile)
        await energy?.begin()
      }
      const begin = performance.now()
      for (let position = 0; position < tokens.length; position += test.batch) {
        const batch = tokens.subarray(position, position + test.batch)
        result = await model.run({ tokens: batch, position, cache, policy, signal, reuse: result })
        const effectiveBits = model.effectiveBits(result.bits, batch.length)
        record?.(effectiveBits, batch.length)
        bitSum += effectiveBits * batch.length
        await energy?.keepUp()
      }
      if (run >= warmup) samples.push((1000 * tokens.length) / (performance.now() - begin))
      onProgress?.({ stage: test.name, done: run + 1, total: runs, unit: 'runs' })
    }
    const joules = await energy?.joules()
    const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length
    const variance = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / Math.max(samples.length - 1, 1)
    rows.push({
      test: test.name,
      effectiveBits: bitSum / (runs * tokens.length),
      tokensPerSecond: mean,
      standardDeviation: Math.sqrt(variance),
      samples,
      joulesPerToken: joules === undefined ? null : joules / (repetitions * tokens.length),
      ...(stepProfile && before ? { stepProfile: profileSince(stepProfile, before) } : {}),
    })
  }
  return rows
}

function randomTokens(count: number, vocabularySize: number): Uint32Array {
  const random = createRandom(0)
  return Uint32Array.from({ length: count }, () => Math.floor(random.uniform() * vocabularySize))
}

function checkCount(name: string, count: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isInteger(count) && count >= least && count <= most) return
  const limit = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}, the model's context`
  throw new InvalidArgumentError(name, `a whole number ${limit}`, count)
}
