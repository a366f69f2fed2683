import type { Timings } from './options.js'

/** Measures one generation. Paused while the consumer has a part. */
export interface Stopwatch {
  promptDone(): void
  /** Stops, and says how long everything took that led to this many tokens. */
  pause(promptTokens: number, generatedTokens: number): Timings
  resume(): void
}

/** @param now clock in milliseconds */
export function startStopwatch(now: () => number = () => performance.now()): Stopwatch {
  let running = now()
  let promptMs = 0
  let generatedMs = 0
  let firstTokenMs: number | undefined
  let decodeMs = 0
  return {
    promptDone() {
      promptMs = now() - running
      running += promptMs
    },
    pause(promptTokens, generatedTokens) {
      const elapsed = now() - running
      generatedMs += elapsed
      if (firstTokenMs === undefined) firstTokenMs = promptMs + generatedMs
      else decodeMs += elapsed
      return {
        promptMs,
        promptTokensPerSecond: perSecond(promptTokens, promptMs),
        generatedMs,
        tokensPerSecond: perSecond(generatedTokens - 1, decodeMs),
        timeToFirstTokenMs: firstTokenMs,
      }
    },
    resume() {
      running = now()
    },
  }
}

function perSecond(count: number, milliseconds: number): number {
  return count === 0 ? 0 : (1000 * count) / milliseconds
}
