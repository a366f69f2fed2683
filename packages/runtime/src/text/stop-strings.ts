import { InvalidArgumentError } from '@dpllm/core'

/** Passes a stream of text on up to the first stop string. */
export interface StopFilter {
  /**
   * @returns the text that is certainly before any stop string, and the stop string once one is complete; the filter
   *   is then done and what follows the stop string is dropped
   */
  push(text: string): { readonly text: string; readonly stop?: string }
  /** The text held back as the beginning of a stop string, when no more text comes. */
  end(): string
}

/**
 * Where several stop strings match, the one that ends first counts, of those the longest: so the result does not
 * depend on how the text was cut into pieces.
 * @throws InvalidArgumentError for an empty stop string
 */
export function createStopFilter(stops: readonly string[]): StopFilter {
  for (const stop of stops) {
    if (typeof stop !== 'string' || stop === '') throw new InvalidArgumentError('stop', 'strings of at least one character', stop)
  }
  let held = ''
  return {
    push(text) {
      held += text
      const found = firstStop(held, stops)
      if (found !== undefined) {
        const before = held.slice(0, found.start)
        held = ''
        return { text: before, stop: found.stop }
      }
      const keep = held.length - longestBeginning(held, stops)
      const certain = held.slice(0, keep)
      held = held.slice(keep)
      return { text: certain }
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
  }
}

function firstStop(text: string, stops: readonly string[]): { start: number; stop: string } | undefined {
  let first: { start: number; stop: string } | undefined
  for (const stop of stops) {
    const start = text.indexOf(stop)
    if (start < 0) continue
    const later = first === undefined ? -1 : start + stop.length - (first.start + first.stop.length)
    if (first === undefined || later < 0 || (later === 0 && start < first.start)) first = { start, stop }
  }
  return first
}

/** Length of the longest end of `text` that a stop string begins with. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0
  for (const stop of stops) {
    for (let n = Math.min(stop.length - 1, text.length); n > longest; n--) {
      if (text.endsWith(stop.slice(0, n))) longest = n
    }
  }
  return longest
}
