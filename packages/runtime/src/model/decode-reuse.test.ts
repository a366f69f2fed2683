import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Backend, type CompiledProgram, createReferenceBackend, type Step, type StepResult } from '@dpllm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeQuantizedFolder } from '../../test/quantized-folder.js'
import { collect } from '../generate/collect.js'
import { loadModel } from './load-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-decode-reuse-'))
  await writeQuantizedFolder(folder)
})
afterAll(() => rm(folder, { recursive: true }))

/** The reference, whose steps fill the arrays of what they are given to reuse: all of them, where sizes agree. */
function reusingBackend(reuses: (step: Step, result: StepResult) => void): Backend {
  const reference = createReferenceBackend()
  const wrap = (compiled: CompiledProgram): CompiledProgram => ({
    ...compiled,
    selects: compiled.selects,
    createCache: (capacity) => compiled.createCache(capacity),
    async run(step) {
      const { reuse } = step
      let result = await compiled.run({ ...step, tokens: step.tokens.slice() })
      if (reuse !== undefined && reuse.bits.length === result.bits.length) {
        reuse.outputs['logits'].set(result.outputs['logits'])
        reuse.bits.set(result.bits)
        result = reuse
      }
      reuses(step, result)
      return result
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  })
  return {
    name: reference.name,
    description: reference.description,
    compile: async (program, weights) => wrap(await reference.compile(program, weights)),
    [Symbol.asyncDispose]: () => reference[Symbol.asyncDispose](),
  }
}

test('the steps of a request fill the same arrays, and generate the same', async () => {
  const options = { maxTokens: 12, ignoreEos: true, temperature: 1, seed: 3, precision: 4 }
  await using plain = await loadModel(folder, { backend: 'reference' })
  const wanted = await collect(plain.generate('see', options))

  const steps: { step: Step; result: StepResult }[] = []
  await using model = await loadModel(folder, { backend: reusingBackend((step, result) => steps.push({ step, result })) })
  const parts = []
  for await (const part of model.generate('see', options)) parts.push(part)
  expect(parts.map(({ token, logprob, bits }) => [token, logprob, bits])).toEqual(
    wanted.tokens.map(({ id, logprob, bits }) => [id, logprob, bits]),
  )
  // Of the prompt, and of the other tokens but the last, which nobody asks the model about.
  expect(steps).toHaveLength(12)
  steps.slice(1).forEach(({ step }, i) => {
    expect(step.reuse).toBe(steps[i].result)
  })
  expect(new Set(steps.slice(1).map(({ result }) => result)).size).toBe(1)
})

test('requests at the same time have arrays of their own', async () => {
  const results = new Map<object, Set<StepResult>>()
  const backend = reusingBackend(({ cache }, result) => {
    results.set(cache, (results.get(cache) ?? new Set()).add(result))
  })
  await using model = await loadModel(folder, { backend })
  const generate = (seed: number) => collect(model.generate('see', { maxTokens: 8, ignoreEos: true, temperature: 1, seed }))
  await Promise.all([1, 2].map(generate))
  const [a, b] = [...results.values()]
  expect([...a].filter((result) => b.has(result))).toEqual([])
})
