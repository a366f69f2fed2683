import { InvalidArgumentError } from '@dpllm/core'
import type { Tokenizer } from '@dpllm/runtime'

/** What separates documents in a calibration text (the mark that GPT-2 style corpora use). */
export const DOCUMENT_SEPARATOR = '<|endoftext|>'

/** @throws InvalidArgumentError unless there is at least one window of at least one token */
export function checkWindows(samples: number, sequenceLength: number): void {
  for (const [argument, value] of Object.entries({ samples, sequenceLength })) {
    if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(argument, 'a positive integer', value)
  }
}

/**
 * Cuts a text into full windows of `length` tokens: documents one after another, each with its special tokens in
 * front; a rest shorter than a window is dropped, or kept if asked. In every window the beginning token, if texts have
 * one, takes the place of the first: so models are used, and its activations are what all later tokens look at.
 * @param limit most windows
 */
export function calibrationWindows(
  text: string,
  tokenizer: Tokenizer,
  length: number,
  limit: number,
  { keepRest = false }: { keepRest?: boolean } = {},
): Uint32Array[] {
  const windows: Uint32Array[] = []
  const beginning = beginningToken(tokenizer)
  let window = new Uint32Array(length)
  let filled = 0
  for (const document of text.split(DOCUMENT_SEPARATOR)) {
    const trimmed = document.trim()
    if (trimmed === '') continue
    for (const token of tokenizer.encode(trimmed)) {
      window[filled] = filled === 0 ? (beginning ?? token) : token
      filled++
      if (filled < length) continue
      windows.push(window)
      if (windows.length === limit) return windows
      window = new Uint32Array(length)
      filled = 0
    }
  }
  if (keepRest && filled > 0) windows.push(window.slice(0, filled))
  return windows
}

/** `count` of the windows, evenly spaced; all if there are no more. */
export function spreadWindows(windows: readonly Uint32Array[], count: number): Uint32Array[] {
  if (windows.length <= count) return [...windows]
  return Array.from({ length: count }, (_, i) => windows[Math.floor(((i + 0.5) * windows.length) / count)])
}

/** The token that the model's texts begin with. */
function beginningToken({ encode, bosId }: Tokenizer): number | undefined {
  return bosId !== undefined && encode('')[0] === bosId ? bosId : undefined
}
