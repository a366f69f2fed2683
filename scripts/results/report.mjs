// `npm run results:report`: sweeps the methods at many targets over stories15M and writes docs/results/report.html, with figures beside
// it. Takes the model and the profiles that results:policies has made. What is measured is kept in models/results/report,
// so that it can be interrupted; the machine should do nothing else while latency is measured. Needs DPLLM_DATA.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dpllm } from '../lib/dpllm.mjs'
import { root } from '../lib/run.mjs'
import { ensureBuilt, ensureInstalled } from '../lib/setup.mjs'

const data = process.env.DPLLM_DATA
if (data === undefined) throw new Error('DPLLM_DATA: the folder of real models and texts is needed')
process.chdir(root)
// Relative, since the page shows them in its commands.
const work = 'models/results/report'
const texts = `${work}/data`
const model = 'models/results/stories15M-tuned'
const page = 'docs/results/report'
if (!existsSync(`${model}/profiles/budget-5.json`))
  throw new Error(`${model}: has no profiles yet; run npm run results:policies -- stories15M first`)
mkdirSync(work, { recursive: true })
if (!existsSync(texts)) symlinkSync(path.resolve(data), texts)

const calibrated = { 'hawq-v2': 'HAWQ-V2', static: 'static knapsack', 'dp-llm': 'DP-LLM', budget: 'budget' }
const requests = { label: 'story beginnings', prompts: 'scripts/results/report/prompts.txt', maxTokens: 100 }
const sweep = {
  format: 'dpllm-sweep',
  version: 1,
  models: [{ label: 'stories15M', path: model, original: `${texts}/stories15M` }],
  methods: ['uniform', ...Object.entries(calibrated).map(([method, label]) => ({ method, label, profile: `${method}-5` }))],
  budgets: [5],
  targets: [3, 3.25, 3.5, 4, 4.5, 5],
  perplexity: [{ label: 'TinyStories', data: `${texts}/tinystories/valid-a.txt`, ctx: 256, chunks: 60, reference: true }],
  tasks: [{ task: 'lambada', label: 'LAMBADA', data: `${texts}/lambada/lambada_test.jsonl`, limit: 100, dynamicScoring: true }],
  latency: [{ ...requests, texts: 1 }],
}
writeFileSync(`${work}/sweep.json`, `${JSON.stringify(sweep, null, 2)}\n`)

ensureInstalled()
ensureBuilt()
dpllm('sweep', `${work}/sweep.json`, '--results', `${work}/results`)
dpllm('report', `${work}/results`, '-o', `${page}.html`, '--svg', page, '--csv', `${page}.csv`)
console.log(`\n${page}.html`)
