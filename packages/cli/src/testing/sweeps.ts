import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Fixtures } from './fixtures.js'

/** Writes data beside a tiny model, and a sweep that takes seconds: calibrations, perplexities, a task and bits of requests. */
export async function writeTinySweep({ folder, original, quantized, text }: Fixtures, change: object = {}): Promise<string> {
  const at = (name: string) => path.join(folder, name)
  const rows = Array.from({ length: 4 }, (_, i) => ({ question: `one and ${i}?`, answer: `it is ${i}. #### ${i}` }))
  await writeFile(at('gsm8k.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  await writeFile(at('prompts.txt'), 'the cat\na hat\n')
  const sweep = {
    format: 'dpllm-sweep',
    version: 1,
    models: [{ label: 'tiny', path: quantized, original }],
    methods: ['uniform', 'budget', 'static'],
    budgets: [5],
    targets: [3.5, 4],
    calibration: { text, samples: 4, seqLen: 32 },
    perplexity: [{ label: 'cats', data: text, ctx: 32, chunks: 4 }],
    tasks: [{ task: 'gsm8k', data: at('gsm8k.jsonl'), shots: 0, limit: 3, maxTokens: 8 }],
    bits: [{ label: 'cats', prompts: at('prompts.txt'), maxTokens: 6 }],
    run: { backend: 'reference' },
    ...change,
  }
  const file = at('sweep.json')
  await writeFile(file, JSON.stringify(sweep))
  return file
}

/** Every file of a sweep that two runs must agree on, with its bytes: the plan, results and answers. */
export async function sweepBytes(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const part of ['results', 'answers'])
    for (const name of (await readdir(path.join(folder, part))).sort())
      found[`${part}/${name}`] = await readFile(path.join(folder, part, name), 'utf8')
  found['plan.json'] = await readFile(path.join(folder, 'plan.json'), 'utf8')
  return found
}
