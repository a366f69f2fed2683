import { createRandom, InvalidArgumentError } from '@dpllm/core'
import type { Contender } from './contender.js'
import { interleavedRounds, medianOf, type Ratio, type RoundOptions, ratioOf } from './rounds.js'

export interface CompareOptions extends RoundOptions {
  /** Lengths of prompts to measure; default [512]. */
  readonly promptTokens?: readonly number[] | undefined
  /** Numbers of tokens to decode, one by one from an empty context; default [128]. */
  readonly generatedTokens?: readonly number[] | undefined
  /** Ids below it are the tokens; default 256, which every vocabulary has. */
  readonly vocabularySize?: number | undefined
}

/** One contender in one test. */
export interface Comparison {
  /** `pp512` or `tg128`, as of `bench`. */
  readonly test: string
  readonly name: string
  readonly bitsPerWeight: number
  /** Median over the rounds. */
  readonly tokensPerSecond: number
  /** Milliseconds of each round. */
  readonly rounds: Float64Array
  /** Speed relative to the first contender's, round by round. */
  readonly speed: Ratio
}

/**
 * Measures contenders by turns on the same tokens, so that their speeds can be compared on a machine that is not quiet.
 * @returns for each test a comparison of every contender, in the order given
 */
export async function compareSpeed(contenders: readonly Contender[], options: CompareOptions = {}): Promise<Comparison[]> {
  const { promptTokens = [512], generatedTokens = [128], vocabularySize = 256, ...rounds } = options
  if (contenders.length === 0) throw new InvalidArgumentError('contenders', 'at least one', 'none')
  const tests = [
    ...promptTokens.map((count) => ({ name: `pp${count}`, count, run: (c: Contender, tokens: Uint32Array) => c.read(tokens) })),
    ...generatedTokens.map((count) => ({
      name: `tg${count}`,
      count,
      run: (c: Contender, tokens: Uint32Array) => c.decode(tokens),
    })),
  ]
  const found: Comparison[] = []
  for (const { name: test, count, run } of tests) {
    const random = createRandom(0)
    const tokens = Uint32Array.from({ length: count }, () => Math.floor(random.uniform() * vocabularySize))
    const onProgress = rounds.onProgress && ((p: { done: number; total: number }) => rounds.onProgress!({ ...p, stage: test }))
    const times = await interleavedRounds(
      contenders.map((contender) => () => run(contender, tokens)),
      { ...rounds, onProgress },
    )
    contenders.forEach(({ name, bitsPerWeight }, i) => {
      const tokensPerSecond = (1000 * count) / medianOf(times[i])
      const speed = ratioOf(times[0], times[i])
      found.push({ test, name, bitsPerWeight: bitsPerWeight(), tokensPerSecond, rounds: times[i], speed })
    })
  }
  return found
}
