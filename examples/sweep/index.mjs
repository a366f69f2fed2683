// Measures a tiny model by two methods at several targets, in two processes, and makes a page of it.
//   npm start                 in a temporary folder
//   npm start -- FOLDER       in this one, which keeps what has been measured
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeTinyModel } from '@dpllm-examples/generate/tiny-model.mjs'

const folder = process.argv[2] === undefined ? await mkdtemp(join(tmpdir(), 'dpllm-sweep-')) : resolve(process.argv[2])
await mkdir(folder, { recursive: true })
// Paths of a sweep are relative to where it is started.
process.chdir(folder)
await makeTinyModel('model')
await writeFile('text.txt', 'The dog sat by the fire and looked at the snow. '.repeat(40))
await writeFile('prompts.txt', 'The cat\nA dog\n')
await writeFile(
  'sweep.json',
  JSON.stringify({
    format: 'dpllm-sweep',
    version: 1,
    models: [{ label: 'tiny', path: 'model/quantized', original: 'model/original' }],
    methods: ['uniform', 'static', 'budget'],
    budgets: [5],
    targets: [3, 3.5, 4, 4.5],
    calibration: { text: 'text.txt', samples: 4, seqLen: 128 },
    perplexity: [{ label: 'a text', data: 'text.txt', ctx: 128, reference: true }],
    latency: [{ label: 'two prompts', prompts: 'prompts.txt', maxTokens: 16, texts: 1 }],
  }),
)
dpllm('sweep', 'sweep.json', '--results', 'results', '--processes', '2', '--quiet')
dpllm('report', 'results', '-o', 'report.html', '--quiet')
console.log(`open ${join(folder, 'report.html')}`)

function dpllm(...args) {
  const { status } = spawnSync('dpllm', args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
