import { createReferenceBackend, type StepResult } from '@dpllm/core'
import { checkCase, operatorCases, relativeError, runCase } from '@dpllm/core/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCpuBackend, type Instructions, probeCpu } from '../src/index.js'

const probe = probeCpu()
const available = (probe.ok ? probe.available : []) as Instructions[]
const cases = operatorCases()

/** All that the steps of a case gave: compared at once, where element by element takes seconds. */
function bytesOf(steps: readonly StepResult[]): Buffer {
  const arrays = steps.flatMap(({ outputs, bits, estimates }) => [...Object.values(outputs), bits, estimates])
  return Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)))
}

describe.skipIf(!probe.ok)('operator cases', () => {
  const references: StepResult[][] = []
  beforeAll(async () => {
    const reference = createReferenceBackend()
    for (const c of cases) references.push(await runCase(reference, c))
  }, 60_000)

  for (const instructions of available) {
    for (const arithmetic of ['fast', 'precise'] as const) {
      for (const threads of [1, 2, 3]) {
        test(`${instructions}, ${arithmetic}, ${threads} threads agree with the reference`, async () => {
          await using backend = createCpuBackend({ instructions, arithmetic, threads })
          const differences = []
          for (const [i, c] of cases.entries()) {
            for (const difference of await checkCase(backend, c, arithmetic, references[i]))
              differences.push({ case: c.name, ...difference })
          }
          expect(differences).toEqual([])
        })
      }
    }
  }

  // Sums of 32 products are exact integers everywhere, so instruction sets differ only in the order in which they add
  // K / 32 floats: far closer to each other than 8-bit activations are to the reference.
  for (const instructions of available.slice(0, -1)) {
    test(`${instructions} and generic compute the same integers`, async () => {
      await using a = createCpuBackend({ instructions, threads: 1 })
      await using b = createCpuBackend({ instructions: 'generic', threads: 1 })
      for (const c of cases.filter(({ name }) => /^linear \d bits .* T=[12]\b/.test(name))) {
        const [[found], [wanted]] = [await runCase(a, c), await runCase(b, c)]
        const cancellation = c.tolerance.f32 * 2
        expect(relativeError(found.outputs.y, wanted.outputs.y), c.name).toBeLessThan(cancellation)
      }
    })
  }

  test('results do not depend on the number of threads', async () => {
    for (const instructions of available) {
      const results = []
      for (const threads of [1, 3]) {
        await using backend = createCpuBackend({ instructions, threads })
        results.push(await Promise.all(cases.map((c) => runCase(backend, c))))
      }
      const [one, three] = results.map((all) => all.map(bytesOf))
      for (const [i, c] of cases.entries()) expect(three[i].equals(one[i]), c.name).toBe(true)
    }
  })

  // Keys and values rounded to 11 bits: a relative error of at most 2^-12 in each value, and in each score of some
  // 2^-12 · |q| |k| scale, about 2^-12, which is the weight's relative error. Twice their sum.
  test('attention with a 16-bit cache', async () => {
    for (const instructions of available) {
      await using backend = createCpuBackend({ instructions, threads: 2, cache: 'f16' })
      for (const [i, c] of cases.entries()) {
        if (!c.name.startsWith('attention ')) continue
        const found = await runCase(backend, c)
        found.forEach((result, step) => {
          expect(relativeError(result.outputs.y, references[i][step].outputs.y), c.name).toBeLessThan(2 ** -10)
        })
      }
    }
  })
})
