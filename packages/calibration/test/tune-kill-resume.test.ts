import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '@dpllm/core'
import { exists } from '@dpllm/core/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../src/quantizer/row-quantizer.js'
import { readFolder } from '../src/testing/read-folder.js'
import { writeTinyModel } from '../src/testing/tiny-model.js'
import { bundleChild, type Kill } from './child.js'

let directory: string
let original: string
let quantized: string
let runChild: Awaited<ReturnType<typeof bundleChild>>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-kill-tuning-'))
  original = join(directory, 'original')
  quantized = join(directory, 'quantized')
  await writeTinyModel(original, { edit: (t) => ({ ...t, data: t.data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) }) })
  await quantizeModel(original, quantized, { calibrationText: false, quantizer: typescriptRowQuantizer(), shardBytes: 1 })
  runChild = await bundleChild('tune-child.ts', join(directory, 'bundle'))
})
afterAll(() => rm(directory, { recursive: true }))

const run = (from: string, out: string, kill?: Kill) => runChild([original, from, out], kill)

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
