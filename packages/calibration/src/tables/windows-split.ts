import { InvalidArgumentError } from '@dpllm/core'

/** Windows of a calibration text: those that tables are trained on, and those that only tell whether it helped. */
export interface SplitWindows {
  readonly training: readonly Uint32Array[]
  readonly heldOut: readonly Uint32Array[]
}

/** One window in so many is held out, and never more than MOST_HELD_OUT: some thousand tokens tell 1 % of a divergence. */
const HELD_OUT_PART = 8
const MOST_HELD_OUT = 16

/**
 * Fewest windows that tables are tuned on. A model of 15 million weights has a million entries in its tables, each of
 * which sees all tokens of a window; below some ten thousand tokens these rather learn the text than the model.
 */
export const LEAST_WINDOWS = 64

/** Windows that a run of so many steps has use for. */
export function windowsNeeded(steps: number, batch: number): number {
  return Math.max(LEAST_WINDOWS, steps * batch + MOST_HELD_OUT)
}

/**
 * Holds a fixed part of the windows out, evenly over the text.
 * @throws InvalidArgumentError if there are fewer than LEAST_WINDOWS
 */
export function splitWindows(windows: readonly Uint32Array[], length: number): SplitWindows {
  if (windows.length < LEAST_WINDOWS) {
    const wanted = `a text of at least ${LEAST_WINDOWS} windows of ${length} tokens (or a smaller sequenceLength)`
    throw new InvalidArgumentError('calibrationText', wanted, `${windows.length} windows`)
  }
  const count = Math.min(MOST_HELD_OUT, Math.floor(windows.length / HELD_OUT_PART))
  const heldOut = new Set(Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * windows.length) / count)))
  return { training: windows.filter((_, i) => !heldOut.has(i)), heldOut: windows.filter((_, i) => heldOut.has(i)) }
}
