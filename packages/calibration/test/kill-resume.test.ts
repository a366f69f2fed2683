import { spawn } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRandom } from '@dpllm/core'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readFolder } from '../src/testing/read-folder.js'
import { writeTinyModel } from '../src/testing/tiny-model.js'

let directory: string
let source: string
const bundle = () => join(directory, 'bundle')

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-kill-'))
  source = join(directory, 'model')
  await writeTinyModel(source, { config: { num_hidden_layers: 3 } })
  await build({
    entry: { child: fileURLToPath(new URL('quantize-child.ts', import.meta.url)) },
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
async function run(out: string, kill: { steps: number; delay: number } = { steps: -1, delay: 0 }): Promise<number | undefined> {
  const child = spawn(process.execPath, [join(bundle(), 'child.mjs'), source, out, String(kill.steps), String(kill.delay)])
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

test('killed at any moment and started again, it makes the bytes of an uninterrupted run', async () => {
  const whole = join(directory, 'whole')
  const steps = (await run(whole)) as number
  expect(steps).toBeGreaterThan(50)
  const wanted = await readFolder(whole)

  const random = createRandom(1)
  const within = (count: number) => 1 + Math.floor(random.uniform() * count)
  for (let trial = 0; trial < 4; trial++) {
    const out = join(directory, `killed-${trial}`)
    expect(await run(out, { steps: within(steps), delay: 0 })).toBeUndefined()
    expect(await exists(out)).toBe(false)
    // Twice at any time of the rest, with its writing, flushing and renaming; nothing is left to do if it got there.
    for (let again = 0; again < 2 && !(await exists(out)); again++) {
      await run(out, { steps: 1, delay: 1 + 250 * random.uniform() })
    }
    if (!(await exists(out))) await run(out)
    expect(await readFolder(out)).toEqual(wanted)
    expect(await exists(`${out}.partial`)).toBe(false)
  }
  // Some 17 processes one after another, on whatever machine.
}, 240_000)

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
