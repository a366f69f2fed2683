// `npm run results:policies [-- stories15M tinyllama]`: calibrates and measures every way to decide bits, and writes
// docs/results/policies.md. Models, profiles and measurements are kept in models/results, as for results:quantizer, whose
// models these are. Needs DPLLM_DATA; TinyLlama besides DPLLM_TINYLLAMA, its Hugging Face folder.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../lib/run.mjs'
import { ensureBuilt, ensureInstalled } from '../lib/setup.mjs'
import { lineChart } from './line-chart.mjs'
import { calibrate, perplexity, requestBits } from './measure.mjs'
import { policiesPage } from './policies-page.mjs'
import { methods, methodsOn, policyStudies } from './policy-studies.mjs'
import { makeVariant } from './quantized-models.mjs'
import { quantizerStudies } from './quantizer-studies.mjs'

const data = process.env.DPLLM_DATA
if (data === undefined) throw new Error('DPLLM_DATA: the folder of real models and texts is needed')
const work = `${root}models/results`
const pages = `${root}docs/results`
mkdirSync(work, { recursive: true })

ensureInstalled()
ensureBuilt()
const studies = policyStudies(data)
const quantizers = quantizerStudies(data, work)
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(studies)
for (const name of wanted) {
  const { original, title, texts, variants } = quantizers[name]
  const { tables, calibration, training, budgets, requests: asked } = studies[name]
  const measure = (model, text, ...flags) => perplexity(`${work}/perplexities`, model, ...text.flags, ...flags)
  const models = Object.keys(tables).map((id) => {
    const { seeds, ...variant } = variants.find((v) => v.id === id)
    return makeVariant(work, name, original, variant, seeds[0])
  })
  const uniform = models.map((model) =>
    texts.map((text) => [3, 4, 5, 6].map((bits) => measure(model, text, '--precision', String(bits)))),
  )
  const measured = budgets.map(({ budget, targets, methods: ids }, index) => ({
    budget,
    targets,
    rows: models.flatMap((model, table) =>
      methodsOn(Object.keys(tables)[table], ids, index).map((id) => ({
        id,
        table,
        results: measureMethod(model, id, { budget, targets, texts, calibration, training, measure }),
      })),
    ),
  }))
  const baseline = texts.map((text) => measure(original, text))
  const requests = {
    targets: asked.targets,
    rows: asked.methods.map((id) => ({ id, results: measureRequests(models.at(-1), id, budgets[0].budget, asked) })),
  }
  const result = {
    title,
    texts: texts.map((text) => text.label),
    tables: Object.values(tables),
    baseline,
    uniform,
    measured,
    requests,
  }
  writeFileSync(`${work}/policies-${name}.json`, JSON.stringify(result))
  writeFileSync(`${pages}/policies-${name}.svg`, await lineChart(pointsOf(result), labelsOf(result)))
}
writeFileSync(`${pages}/policies.md`, policiesPage(studies, work))
console.log(`\n${path.relative(root, pages)}/policies.md`)

/** Perplexities of a method by text and target. */
function measureMethod(model, id, { budget, targets, texts, calibration, training, measure }) {
  const profile = `${id}-${budget}`
  calibrate(
    model,
    profile,
    ...methods[id].flags,
    ...calibration,
    ...(id.startsWith('dp-llm') ? training : []),
    ...['--memory-budget', String(budget), '--target', targets.join(','), '--work-dir', `${model}-calibration`],
  )
  return texts.map((text) => targets.map((target) => measure(model, text, '--profile', profile, '--target-bits', String(target))))
}

/** Effective bits of single requests by target: with feedback, and without. */
function measureRequests(model, id, budget, { prompts, targets }) {
  const measure = (target, ...flags) =>
    requestBits(
      `${work}/perplexities`,
      model,
      ...['--prompts', prompts, '--profile', `${id}-${budget}`, '--target-bits', String(target), ...flags],
    )
  return targets.map((target) => ({ on: measure(target), off: measure(target, '--no-feedback') }))
}

/** What the plot shows: the first budget and text. */
function pointsOf({ tables, measured }) {
  return measured[0].rows
    .filter(({ id }) => ['hawq-v2', 'static', 'dp-llm', 'budget'].includes(id))
    .flatMap(({ id, table, results: [first] }) =>
      first.map((r) => ({ name: `${methods[id].label}, ${tables[table]}`, x: r.effectiveBits, y: r.perplexity })),
    )
}

function labelsOf({ title, texts, baseline, measured }) {
  const rule = { y: baseline[0].perplexity, text: 'unquantized' }
  return { title: `${title}, ${texts[0]}, ${measured[0].budget}-bit budget`, x: 'effective bits', y: 'perplexity', rule }
}
