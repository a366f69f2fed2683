import type { DivergenceResult, Mean, PerplexityResult } from '@dpllm/eval'

type Lines = Pick<PerplexityResult, 'perplexity' | 'standardError' | 'effectiveBits'> & Scored
type Scored = Pick<PerplexityResult, 'tokens' | 'chunks' | 'contextLength' | 'protocol'>

/** Perplexity in two lines. */
export function describePerplexity({ perplexity, standardError, effectiveBits, ...scored }: Lines): string {
  return `perplexity ${perplexity.toFixed(4)} ± ${standardError.toFixed(4)} at ${effectiveBits.toFixed(3)} effective bits\n${scoredLine(scored)}`
}

/** A comparison with a reference in five lines. */
export function describeDivergence(result: DivergenceResult): string {
  const { klDivergence, topAgreement, perplexity, referencePerplexity, logRatio, effectiveBits } = result
  const { median, percentile99, max } = klDivergence
  const percent = (value: number) => `${(100 * value).toFixed(3)} %`
  return [
    `perplexity ${perplexity.toFixed(4)} at ${effectiveBits.toFixed(3)} effective bits, reference ${referencePerplexity.toFixed(4)}\n`,
    `log of their ratio ${mean(logRatio)} nats for each token\n`,
    `KL divergence ${mean(klDivergence)} nats (median ${median.toFixed(6)}, 99 % ${percentile99.toFixed(6)}, most ${max.toFixed(6)})\n`,
    `same likeliest token ${percent(topAgreement.mean)} ± ${percent(topAgreement.standardError)}\n`,
    scoredLine(result),
  ].join('')
}

function mean({ mean, standardError }: Mean): string {
  return `${mean.toFixed(6)} ± ${standardError.toFixed(6)}`
}

function scoredLine({ tokens, chunks, contextLength, protocol }: Scored): string {
  return `${tokens} tokens scored in ${chunks} chunks of ${contextLength} (${protocol})\n`
}
