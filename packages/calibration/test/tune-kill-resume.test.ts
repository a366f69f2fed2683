import { spawn } from 'node:child_process'
import { access, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRandom } from '@dpllm/core'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../src/quantizer/row-quantizer.js'
import { readFolder } from '../src/testing/read-folder.js'
import { writeTinyModel } from '../src/testing/tiny-model.js'

let directory: string
let original: string
let quantized: string
const bundle = () => join(directory, 'bundle')

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-kill-tuning-'))
  original = join(directory, 'original')
  quantized = join(directory, 'quantized')
  await writeTinyModel(original, { edit: (t) => ({ ...t, data: t.data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) }) })
  await quantizeModel(original, quantized, { calibrationText: false, quantizer: typescriptRowQuantizer(), shardBytes: 1 })
  await build({
    entry: { child: fileURLToPath(new URL('tune-child.ts', import.meta.url)) },
    outDir: bundle(),
    config: false,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    silent: true,
    noExternal: [/.*/],
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions: (options) => {
      options.conditions = ['@dpllm/source']
    },
  })
})
afterAll(() => rm(directory, { recursive: true }))

/** Runs the child, to be killed `delay` ms after `steps` steps. Returns how many steps it took, or undefined if it was killed. */
async function run(from: string, out: string, kill: { steps: number; delay: number } = { steps: -1, delay: 0 }) {
  const args = [join(bundle(), 'child.mjs'), original, from, out, String(kill.steps), String(kill.delay)]
  const child = spawn(process.execPath, args)
  let output = ''
  let errors = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    errors += data
  })
  const [code, signal] = await new Promise<unknown[]>((resolve) => child.on('close', (...ending) => resolve(ending)))
  if (signal === 'SIGKILL') return undefined
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
  return Number(output)
}

test('killed at any moment and started again, it makes the bytes of an uninterrupted run, in its own place too', async () => {
  const whole = join(directory, 'whole')
  const steps = (await run(quantized, whole)) as number
  expect(steps).toBeGreaterThan(50)
  const wanted = await readFolder(whole)

  const random = createRandom(2)
  const within = (count: number) => 1 + Math.floor(random.uniform() * count)
  for (let trial = 0; trial < 4; trial++) {
    const out = join(directory, `killed-${trial}`)
    const inPlace = trial % 2 === 1
    if (inPlace) await cp(quantized, out, { recursive: true })
    const from = inPlace ? out : quantized
    expect(await run(from, out, { steps: within(steps), delay: 0 })).toBeUndefined()
    // Then twice at any time of the rest, with its writing, flushing and renaming. A model in its own place is tuned anew
    // once that is done, and so is only killed where it reports.
    let done = false
    for (let again = 0; again < 2 && !done; again++) {
      const kill = inPlace ? { steps: within(steps), delay: 0 } : { steps: 1, delay: 1 + 250 * random.uniform() }
      done = (await run(from, out, kill)) !== undefined || (!inPlace && (await exists(out)))
    }
    if (!done) await run(from, out)
    expect(await readFolder(out)).toEqual(wanted)
    expect(await exists(`${out}.partial`)).toBe(false)
  }
}, 240_000)

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
