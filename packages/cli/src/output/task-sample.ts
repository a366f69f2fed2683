import type { SampleResult } from '@dpllm/eval'

/** A question, its answer and what that was worth, for people to read. */
export function describeSample(result: SampleResult): string {
  const { id, prompt, response, choices, target, answer, scores, promptTokens, tokens, effectiveBits, truncated } = result
  const worth = Object.entries(scores).map(([metric, score]) => `${metric} ${Number.isInteger(score) ? score : score.toFixed(4)}`)
  const cut = truncated ? ', its beginning cut off' : ''
  const lines = [
    heading(`${id}: prompt (${promptTokens} tokens${cut})`),
    ...(prompt === '' ? [] : [prompt]),
    ...(choices ?? []).map(
      ({ context, continuation, logLikelihood, greedy }) =>
        `${logLikelihood.toFixed(4).padStart(10)}${greedy ? ' *' : '  '} ${JSON.stringify((context ?? '') + continuation)}`,
    ),
    ...(response === undefined ? [] : [heading(`response (${tokens} tokens, ${effectiveBits.toFixed(3)} bits)`), response]),
    heading('answer, target, scores'),
    `${JSON.stringify(answer)} for ${JSON.stringify(target)}: ${worth.join(', ')}`,
  ]
  return `${lines.join('\n')}\n\n`
}

function heading(text: string): string {
  return `--- ${text}`
}
