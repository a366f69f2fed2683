import { setTimeout } from 'node:timers/promises'
import { InvalidArgumentError, type OnProgress } from '@dpllm/core'

export interface RoundOptions {
  /** Rounds that count; default 7. */
  readonly rounds?: number | undefined
  /** Rounds before them that do not; default 1. */
  readonly warmup?: number | undefined
  /** Milliseconds between two turns, in which threads of the one before fall asleep; default 20. */
  readonly pause?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Milliseconds that something took; undefined for all of the turn. */
export type Turn = () => Promise<number | undefined> | Promise<void>

/**
 * Times several things by turns, a turn of each in every round, in an order that moves on by one each round: whatever slows the
 * machine down for a while slows down all of them. Compare them round by round (`ratioOf`), never by their times.
 * @param turns each does its work once; it may say how many milliseconds of it count
 * @returns milliseconds f64 [turns][rounds]
 */
export async function interleavedRounds(turns: readonly Turn[], options: RoundOptions = {}): Promise<Float64Array[]> {
  const { rounds = 7, warmup = 1, pause = 20, signal, onProgress } = options
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError('rounds', 'a whole number of at least 1', rounds)
  if (!Number.isInteger(warmup) || warmup < 0) throw new InvalidArgumentError('warmup', 'a whole number of at least 0', warmup)
  const times = turns.map(() => new Float64Array(rounds))
  for (let round = -warmup; round < rounds; round++) {
    for (let i = 0; i < turns.length; i++) {
      const turn = (i + warmup + round) % turns.length
      if (pause > 0) await setTimeout(pause)
      signal?.throwIfAborted()
      const begin = performance.now()
      const counted = await turns[turn]()
      const elapsed = counted ?? performance.now() - begin
      if (round >= 0) times[turn][round] = elapsed
    }
    onProgress?.({ stage: 'rounds', done: round + warmup + 1, total: rounds + warmup, unit: 'rounds' })
  }
  return times
}

/** A ratio measured several times. */
export interface Ratio {
  readonly median: number
  /** First and third quartile. */
  readonly low: number
  readonly high: number
}

/**
 * How many times as long a takes as b: of the ratios of each round, which the machine's moods hardly change.
 * @param a milliseconds by round
 * @param b the same rounds
 */
export function ratioOf(a: ArrayLike<number>, b: ArrayLike<number>): Ratio {
  if (a.length !== b.length || a.length === 0) throw new InvalidArgumentError('b', `${a.length} rounds`, b.length)
  const ratios = Float64Array.from(a, (time, i) => time / b[i]).sort()
  return { median: quantileOf(ratios, 0.5), low: quantileOf(ratios, 0.25), high: quantileOf(ratios, 0.75) }
}

/** The middle of several times. */
export function medianOf(values: ArrayLike<number>): number {
  return quantileOf(Float64Array.from(values).sort(), 0.5)
}

/** Linear between neighbours, as NumPy's default. */
function quantileOf(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const below = Math.floor(at)
  return sorted[below] + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below])
}
