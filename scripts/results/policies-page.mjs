import { existsSync, readFileSync } from 'node:fs'
import { markdownTable } from '../lib/table.mjs'
import { lossesAt, pairedDifference } from './measure.mjs'
import { methods } from './policy-studies.mjs'

/** docs/results/policies.md, of the studies that have been measured. */
export function policiesPage(studies, work) {
  const sections = Object.entries(studies).flatMap(([name, study]) => {
    const file = `${work}/policies-${name}.json`
    return existsSync(file) ? [section(name, study, JSON.parse(readFileSync(file, 'utf8')))] : []
  })
  return `${introduction}\n${sections.join('\n')}`
}

const introduction = `# Policies

What each way to decide bits makes of the same weights: perplexity, and the effective bits that were really read (mean over the
tokens of the text and all quantized weights). This page is made by

\`\`\`
DPLLM_DATA=… npm run results:policies
\`\`\`

A memory budget says which bits are loaded of which linear, a target how many are read on average. Static methods give every linear
the same bits for all tokens; DP-LLM decides between two neighbouring bit counts for each token, by an estimated error (*exact*: by the
true one, which takes both products); \`budget\` takes any that is loaded, by a predicted sensitivity and a price of bits. DP-LLM was published with
Any-Precision's tables and the estimators called asynchronous here. Every token
of the text decides for itself, as in decoding. Calibration never saw the texts that are measured on.
`

function section(name, { note }, { title, texts, tables, baseline, uniform, measured, requests }) {
  const parts = texts.map((label, text) => {
    const { perplexity, standardError, chunks, contextLength } = baseline[text]
    const head = `### ${label}

llama.cpp's protocol, ${chunks} chunks of ${contextLength}. Unquantized: ${perplexity.toFixed(4)} ± ${standardError.toFixed(4)}.`
    const budgets = measured.map((one) => budgetPart(one, text, tables))
    return `${head}\n\n${uniformTable(uniform, text, tables)}\n\n${budgets.join('\n\n')}`
  })
  return `## ${title}

Calibration: ${note}

${parts.join('\n\n')}

![Perplexity by effective bits](policies-${name}.svg)

### Bits of single requests

${requestsPart(requests, measured[0], tables.at(-1))}
`
}

/** How far single requests are from their target: in percent of it, the mean and the 99th percentile over requests. */
function requestsPart({ targets, rows }, { budget }, label) {
  const { requests: count, maxTokens } = rows[0].results[0].on
  const offTarget = (bits, target) => {
    const value = 100 * (bits / target - 1)
    return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
  }
  const lines = rows.flatMap(({ id, results }) =>
    ['on', 'off'].map((feedback) => [
      `${methods[id].label}, feedback ${feedback}`,
      ...results.map((result, i) => {
        const { mean, percentiles } = result[feedback]
        return `${offTarget(mean, targets[i])} / ${offTarget(percentiles[99], targets[i])}`
      }),
    ]),
  )
  const caption = `Effective bits of ${count} requests of ${maxTokens} tokens each (${label}, ${budget}-bit budget, \`dpllm eval bits\`): mean / 99th
percentile over requests, in percent off the target.`
  return `${caption}\n\n${markdownTable(['% off target', ...targets.map(String)], lines)}`
}

function uniformTable(uniform, text, tables) {
  const rows = tables.map((label, i) => [label, ...uniform[i][text].map((result) => result.perplexity.toFixed(3))])
  return markdownTable(['uniform', '3 bits', '4 bits', '5 bits', '6 bits'], rows)
}

function budgetPart({ budget, targets, rows }, text, tables) {
  const header = ['perplexity @ effective bits', ...targets.map(String)]
  const lines = rows.map(({ id, table, results }) => [
    `${methods[id].label}, ${tables[table]}`,
    ...results[text].map((r) => `${r.perplexity.toFixed(3)} @ ${r.effectiveBits.toFixed(3)}`),
  ])
  const comparisons = tables.flatMap((label, table) => {
    // What was done to the same tables, and what we make of better ones.
    const others = rows.filter((row) => row.table === table || (row.table > table && row.id === 'budget'))
    const published = others.find((row) => row.id === 'dp-llm' && row.table === table)
    if (published === undefined) return []
    return [differences(`Against DP-LLM as it can be run on ${label}`, published, others, text, targets, tables)]
  })
  return `**${budget}-bit memory budget**\n\n${markdownTable(header, lines)}\n\n${comparisons.join('\n\n')}`
}

/** Differences of the loss at equal effective bits, in percent of perplexity. */
function differences(title, reference, rows, text, targets, tables) {
  const lines = rows
    .filter((row) => row !== reference)
    .map(({ id, table, results }) => [
      `${methods[id].label}, ${tables[table]}`,
      ...results[text].map((result) => {
        const { mean, standardError } = pairedDifference(lossesAt(reference.results[text], result.effectiveBits), result)
        return `${percent(mean)} ± ${(100 * standardError).toFixed(1)} %`
      }),
    ])
  return `${title}, at equal effective bits (perplexity, paired by chunk):\n\n${markdownTable(['', ...targets.map(String)], lines)}`
}

function percent(nats) {
  const value = 100 * (Math.exp(nats) - 1)
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
}
