import { existsSync, readFileSync } from 'node:fs'
import { markdownTable } from '../lib/table.mjs'
import { meanOf, pairedDifference } from './measure.mjs'

/** docs/results/quantizer.md, of the studies that have been measured. */
export function quantizerPage(studies, work) {
  const sections = Object.entries(studies).flatMap(([name, study]) => {
    const file = `${work}/quantizer-${name}.json`
    return existsSync(file) ? [section(name, study, JSON.parse(readFileSync(file, 'utf8')))] : []
  })
  return `${introduction}\n${sections.join('\n')}`
}

const introduction = `# Quantizers and tables

Perplexity by bit count: Any-Precision's algorithm (*reference mode*), ours, and what tuning makes of our tables. This page is made by

\`\`\`
DPLLM_DATA=… npm run results:quantizer
\`\`\`

Every model is read at one bit count for all linears of the decoder blocks; the embedding and the head are not quantized, as in
Any-Precision. Reference mode weighs errors by Fisher information, our quantizer by the same and the inputs
([decision 7](../decisions/0007-errors-weighed-by-fisher-information.md)); tuning is described in [tuning.md](../tuning.md): it changes the
tables of 3 and 4 bits and leaves those of the others, byte for byte. Texts that are measured on were not used for calibration.
`

function section(name, { calibration, published }, { title, bits, texts, baseline, rows }) {
  const tables = texts.map((label, i) => {
    const { perplexity, standardError, tokens, chunks, contextLength } = baseline[i]
    const head = `**${label}**, llama.cpp's protocol: ${chunks} chunks of ${contextLength}, ${tokens} tokens scored. Unquantized:
${perplexity.toFixed(4)} ± ${standardError.toFixed(4)}.`
    return `${head}\n\n${perplexities(bits, rows, i, i === 0 ? published : undefined)}\n\n${losses(bits, rows, i, baseline[i])}`
  })
  const seeds = Math.max(...rows.map(({ results }) => results[0][0].length))
  const spread = seeds > 1 ? ` Where ± stands, mean and standard deviation of ${seeds} seeds.` : ''
  return `## ${title}

Calibration: ${calibration}.${spread}${divergences(rows)}

${tables.join('\n\n')}

![Perplexity by bits](quantizer-${name}.svg)
`
}

/** What tuning measured itself, of windows of the calibration text that it did not train on. */
function divergences(rows) {
  const { tuning } = rows.find((row) => row.tuning !== undefined) ?? {}
  if (tuning === undefined) return ''
  const { before, after } = tuning
  const bits = Object.keys(before).sort((a, b) => a - b)
  const table = markdownTable(
    ['divergence from the original', ...bits.map((b) => `${b} bits`)],
    [
      ['before tuning', ...bits.map((b) => before[b].toFixed(3))],
      ['after', ...bits.map((b) => after[b].toFixed(3))],
    ],
  )
  return ` Tuning held ${tuning.heldOutWindows} windows of its text
back; there, nats a token:\n\n${table}`
}

function perplexities(bits, rows, text, published) {
  const lines = rows.map(({ label, results }) => [label, ...results[text].map(spreadOf)])
  if (published) lines.unshift(["Any-Precision's own code", ...published.map((value) => value.toFixed(4))])
  return markdownTable(['perplexity', ...bits.map((b) => `${b} bits`)], lines)
}

function spreadOf(seeds) {
  const { mean, deviation } = meanOf(seeds.map((result) => result.perplexity))
  return seeds.length < 2 ? mean.toFixed(4) : `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`
}

/** How much of the exact quantizer's loss over the unquantized model its other tables remove. */
function losses(bits, rows, text, baseline) {
  const exact = rows.find(({ label }) => label === 'exact quantizer')
  const lines = rows
    .filter(({ label }) => label.startsWith('exact +'))
    .map(({ label, results }) => [
      label,
      ...bits.map((_, i) => {
        const before = pairedDifference(baseline, exact.results[text][i][0]).mean
        const { mean, standardError } = pairedDifference(exact.results[text][i][0], results[text][i][0])
        return `${signed(mean)} ± ${standardError.toFixed(4)} (${signed((100 * mean) / Math.abs(before), 0)} %)`
      }),
    ])
  const caption = 'Change of the loss (nats a token, paired by chunk, ± standard error; of the loss over unquantized):'
  return `${caption}\n\n${markdownTable(['', ...bits.map((b) => `${b} bits`)], lines)}`
}

function signed(value, digits = 4) {
  const text = Math.abs(value).toFixed(digits)
  return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`
}
