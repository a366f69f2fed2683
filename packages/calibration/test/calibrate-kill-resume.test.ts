import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '@dpllm/core'
import { exists } from '@dpllm/core/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeQuantizedTinyModel } from '../src/testing/quantized-tiny-model.js'
import { readFolder } from '../src/testing/read-folder.js'
import { bundleChild, type Kill } from './child.js'

let directory: string
let quantized: string
let runChild: Awaited<ReturnType<typeof bundleChild>>

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-kill-calibration-'))
  quantized = join(directory, 'quantized')
  await writeQuantizedTinyModel(directory)
  runChild = await bundleChild('calibrate-child.ts', join(directory, 'bundle'))
  // Where a bundle of the package has its own.
  await writeFile(join(directory, 'package.json'), '{ "version": "0.0.0" }')
})
afterAll(() => rm(directory, { recursive: true }))

test.each(['budget', 'dp-llm', 'llm-mq'])(
  '%s: killed at any moment and started again, it makes the same profile',
  async (method) => {
    const run = async (model: string, kill?: Kill) => runChild([model, method], kill)
    const whole = join(directory, `whole-${method}`)
    await cp(quantized, whole, { recursive: true })
    const steps = (await run(whole)) as number
    expect(steps).toBeGreaterThan(20)
    const wanted = await readFolder(join(whole, 'profiles'))

    const random = createRandom(2)
    for (let trial = 0; trial < 2; trial++) {
      const model = join(directory, `killed-${method}-${trial}`)
      await cp(quantized, model, { recursive: true })
      const at = 1 + Math.floor(random.uniform() * steps)
      expect(await run(model, { steps: at, delay: 0 })).toBeUndefined()
      expect(await exists(join(model, 'profiles', `${method}-5.json`))).toBe(false)
      const again = await run(model, { steps: 3, delay: 1 + 250 * random.uniform() })
      if (again === undefined) await run(model)
      expect(await readFolder(join(model, 'profiles'))).toEqual(wanted)
    }
  },
  240_000,
)
