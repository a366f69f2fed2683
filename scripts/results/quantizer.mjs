// `npm run results:quantizer [-- stories15M tinyllama]`: makes and measures the models of docs/results/quantizer.md, and writes
// the page. Models and measurements are kept in models/results; what is there is not made again, so that it can be
// interrupted. Needs DPLLM_DATA; TinyLlama besides DPLLM_TINYLLAMA, its Hugging Face folder.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../lib/run.mjs'
import { ensureBuilt, ensureInstalled } from '../lib/setup.mjs'
import { lineChart } from './line-chart.mjs'
import { meanOf, perplexity } from './measure.mjs'
import { folderOf, makeVariant } from './quantized-models.mjs'
import { quantizerPage } from './quantizer-page.mjs'
import { quantizerStudies } from './quantizer-studies.mjs'
import { tuningOf } from './tuning-of.mjs'

const data = process.env.DPLLM_DATA
if (data === undefined) throw new Error('DPLLM_DATA: the folder of real models and texts is needed')
const work = `${root}models/results`
const pages = `${root}docs/results`
mkdirSync(work, { recursive: true })
mkdirSync(pages, { recursive: true })

ensureInstalled()
ensureBuilt()
const studies = quantizerStudies(data, work)
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(studies)
for (const name of wanted) {
  const { original, title, texts, bits, variants } = studies[name]
  const measure = (model, text, ...flags) => perplexity(`${work}/perplexities`, model, ...text.flags, ...flags)
  const baseline = texts.map((text) => measure(original, text))
  const rows = []
  for (const { label, seeds, ...variant } of variants) {
    const models = seeds.map((seed) => makeVariant(work, name, original, variant, seed))
    const modelsAt = (b) => (variant.tune && !variant.tune.bits.includes(b) ? [folderOf(work, name, variant.tune.of)] : models)
    const results = texts.map((text) =>
      bits.map((b) => modelsAt(b).map((model) => measure(model, text, '--precision', String(b)))),
    )
    rows.push({ label, results, tuning: variant.id === 'tuned' ? await tuningOf(models[0]) : undefined })
  }
  const result = { title, bits, texts: texts.map((text) => text.label), baseline, rows, measuredAt: new Date().toISOString() }
  writeFileSync(`${work}/quantizer-${name}.json`, JSON.stringify(result))
  const points = rows.flatMap(({ label, results: [first] }) =>
    bits.map((b, i) => ({ name: label, x: b, y: meanOf(first[i].map((r) => r.perplexity)).mean })),
  )
  const rule = { y: baseline[0].perplexity, text: 'unquantized' }
  const labels = { title: `${title}, ${texts[0].label}`, x: 'bits', y: 'perplexity', rule }
  writeFileSync(`${pages}/quantizer-${name}.svg`, await lineChart(points, labels))
}
writeFileSync(`${pages}/quantizer.md`, quantizerPage(studies, work))
console.log(`\n${path.relative(root, pages)}/quantizer.md`)
