import { spawn } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
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
      options.conditions = ['@dpllm/source']; options.alias = {'@dpllm/cpu-kernels': '/work/main/.scratch/q/stub.mjs'}
    },
  })
})
afterAll(() => rm(directory, { recursive: true }))

/** Runs the child; kills it `delay` ms after its `lines`-th line of progress. Returns how many there were, and whether it ended by itself. */
async function run(out: string, kill?: { lines: number; delay: number }): Promise<{ lines: number; ended: boolean }> {
  const child = spawn(process.execPath, [join(bundle(), 'child.mjs'), source, out], { stdio: ['ignore', 'pipe', 'pipe'] })
  let lines = 0
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors += data
  })
  child.stdout.on('data', (data: Buffer) => {
    const before = lines
    lines += data.toString().split('\n').length - 1
    if (kill && before < kill.lines && lines >= kill.lines) void setTimeout(kill.delay).then(() => child.kill('SIGKILL'))
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.on('close', (c, s) => resolve([c, s])))
  if (signal === null) expect(errors).toBe('')
  if (signal === null) expect(code).toBe(0)
  return { lines, ended: signal === null }
}

test('killed at any moment and started again, it makes the bytes of an uninterrupted run', async () => {
  const whole = join(directory, 'whole')
  const { lines } = await run(whole)
  expect(lines).toBeGreaterThan(50)
  const wanted = await readFolder(whole)

  const random = createRandom(Date.now())
  let kills = 0
  for (let trial = 0; trial < 3; trial++) {
    const out = join(directory, `killed-${trial}`)
    for (let tries = 0; tries < 5; tries++) {
      // Delays reach beyond the last line, to the index, the small files and the renaming.
      const kill = { lines: 1 + Math.floor(random.uniform() * lines), delay: 30 * random.uniform() }
      if ((await run(out, kill)).ended) break
      kills++
      if (await exists(out)) break // killed after the renaming
    }
    console.log("kills", kills); if (!(await exists(out))) await run(out)
    expect(await readFolder(out)).toEqual(wanted)
    expect(await exists(`${out}.partial`)).toBe(false)
  }
  expect(kills).toBeGreaterThan(0)
})

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
