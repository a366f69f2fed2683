import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '@dpllm/core'
import { exists } from '@dpllm/core/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readFolder } from '../src/testing/read-folder.js'
import { writeTinyModel } from '../src/testing/tiny-model.js'
import { bundleChild, type Kill } from './child.js'

let directory: string
let source: string
let runChild: Awaited<ReturnType<typeof bundleChild>>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-kill-'))
  source = join(directory, 'model')
  await writeTinyModel(source, { config: { num_hidden_layers: 3 } })
  runChild = await bundleChild('quantize-child.ts', join(directory, 'bundle'))
})
afterAll(() => rm(directory, { recursive: true }))

const run = (out: string, kill?: Kill) => runChild([source, out], kill)

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
