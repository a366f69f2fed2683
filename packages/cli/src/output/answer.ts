import type { GeneratePart } from '@dpllm/runtime'

/** One line about an answer from its last part. */
export function describeAnswer({ generatedTokens, promptTokens, effectiveBits, timings }: GeneratePart): string {
  const { promptTokensPerSecond, tokensPerSecond, timeToFirstTokenMs } = timings
  return [
    `${generatedTokens} tokens at ${effectiveBits.toFixed(2)} effective bits`,
    `${tokensPerSecond.toFixed(1)} tokens/s`,
    `prompt of ${promptTokens} at ${promptTokensPerSecond.toFixed(1)} tokens/s`,
    `first token after ${Math.round(timeToFirstTokenMs)} ms`,
  ].join(', ')
}
