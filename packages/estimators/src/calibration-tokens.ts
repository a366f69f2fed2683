import { InvalidArgumentError } from '@dpllm/core'
import { allFinite } from './all-finite.js'

/** What calibrated estimators are fitted to: inputs of one linear, in the order of the text, and its true errors. */
export interface CalibrationTokens {
  /** f32 [n, K]: inputs of the linear. */
  readonly x: Float32Array
  /** f32 [n]: ‖ΔW x‖₂ of each (`errorNorms`, or a backend's `exact` estimates). */
  readonly errors: Float32Array
}

/** The part of the tokens that is held out: one in four, at the end. */
const HELD_OUT = 4

/**
 * Splits tokens into those that are fitted to and those that judge the fit. The latter are the end of the text, not
 * every fourth token: neighbours are so alike that they would say little about other text.
 */
export function holdOut(tokens: CalibrationTokens, cols: number): { fitted: CalibrationTokens; held: CalibrationTokens } {
  const n = tokens.errors.length
  const count = n - Math.floor(n / HELD_OUT)
  return { fitted: tokenRange(tokens, cols, 0, count), held: tokenRange(tokens, cols, count, n) }
}

/** At most `limit` tokens, evenly spaced: all of them if they are no more. */
export function thinOut(tokens: CalibrationTokens, cols: number, limit: number): CalibrationTokens {
  const n = tokens.errors.length
  if (n <= limit) return tokens
  const x = new Float32Array(limit * cols)
  const errors = new Float32Array(limit)
  for (let i = 0; i < limit; i++) {
    const t = Math.floor((i * n) / limit)
    x.set(tokens.x.subarray(t * cols, (t + 1) * cols), i * cols)
    errors[i] = tokens.errors[t]
  }
  return { x, errors }
}

/** Fewest tokens: some to fit to and one to hold out. */
const MIN_TOKENS = 4

/** @throws InvalidArgumentError unless there are at least 4 tokens, of `cols` inputs and one error each, all finite */
export function checkTokens({ x, errors }: CalibrationTokens, cols: number): void {
  if (errors.length < MIN_TOKENS) throw new InvalidArgumentError('tokens.errors', `at least ${MIN_TOKENS} tokens`, errors.length)
  if (x.length !== errors.length * cols) {
    throw new InvalidArgumentError('tokens.x', `[${errors.length}, ${cols}], ${errors.length * cols} elements`, x.length)
  }
  if (!errors.every((e) => e >= 0 && e < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError('tokens.errors', 'finite norms', 'one that is negative or not finite')
  if (!allFinite(x)) throw new InvalidArgumentError('tokens.x', 'finite inputs', 'one that is not finite')
}

function tokenRange({ x, errors }: CalibrationTokens, cols: number, begin: number, end: number): CalibrationTokens {
  return { x: x.subarray(begin * cols, end * cols), errors: errors.subarray(begin, end) }
}
