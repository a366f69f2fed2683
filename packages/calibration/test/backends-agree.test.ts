import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCpuBackend, type Instructions, probeCpu } from '@dpllm/cpu-kernels'
import { loadModel, type Model } from '@dpllm/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { type TinyTensor, writeTinyModel } from '../src/testing/tiny-model.js'
import { type Choice, greedyPath, parting, smallestGap } from './greedy-path.js'

const cpu = probeCpu()
const instructionSets = (cpu.ok ? cpu.available : []) as Instructions[]
const missing = cpu.ok ? undefined : `without the CPU backend there is nothing to compare: ${cpu.reason}`
const allBits = [3, 4, 5, 6, 7, 8]
const tokenCount = 200

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-agree-'))
})
afterAll(() => rm(directory, { recursive: true }))

const onReference = (model: string) => loadModel(model, { backend: 'reference' })
const onCpu = (model: string, instructions: Instructions) =>
  loadModel(model, { backend: createCpuBackend({ instructions, arithmetic: 'precise' }) })

interface Trial {
  readonly prompt: Uint32Array
  /** What the reference makes of it. */
  readonly path: Choice[]
}

/** Compares paths at all bit counts on each instruction set with the reference's, which are returned by bit count. */
async function compare(
  folder: string,
  tryOn: (reference: Model, bits: number) => Promise<Trial>,
  sets: readonly Instructions[],
): Promise<Map<number, Trial>> {
  const trials = new Map<number, Trial>()
  await using reference = await onReference(folder)
  for (const bits of allBits) trials.set(bits, await tryOn(reference, bits))
  for (const instructions of sets) {
    await using model = await onCpu(folder, instructions)
    for (const [bits, { prompt, path }] of trials) {
      const found = await greedyPath(model, prompt, tokenCount, bits)
      expect.soft(parting(path, found), `${instructions}, ${bits} bits`).toBeUndefined()
    }
  }
  return trials
}

describe('random models', () => {
  /** Norms of ones and layers that keep the variance, so that all matter and answers do not settle on one token. */
  const lively = (tensor: TinyTensor): TinyTensor => {
    const { name, shape, data } = tensor
    const scale = name.startsWith('model.embed') ? 10 : 10 / Math.sqrt(shape[1])
    return { ...tensor, data: data.map((x) => (shape.length === 1 ? 1 : scale * x)) }
  }
  const shared = { tie_word_embeddings: false, max_position_embeddings: 256 }
  const wide = { hidden_size: 96, intermediate_size: 172, num_attention_heads: 8, num_hidden_layers: 3, vocab_size: 60 }

  // In `precise` arithmetic the logits here, of variance 1, are off by up to 3e-4. Of 200 choices among random logits
  // one is about that close to a tie, so a path is taken that keeps ten times as far from one.
  const GAP = 3e-3
  const withoutTies = async (reference: Model, bits: number): Promise<Trial> => {
    for (let token = 0; token < 50; token++) {
      const prompt = Uint32Array.of(1, 5, token)
      const path = await greedyPath(reference, prompt, tokenCount, bits)
      if (smallestGap(path) > GAP && new Set(path.map((choice) => choice.token)).size > 10) return { prompt, path }
    }
    throw new Error(`no prompt of the first 50 leads along a path without near-ties at ${bits} bits`)
  }

  test.for([
    ['24 wide', {}],
    ['96 wide, feed-forward 172, 8 heads on 2', wide],
  ] as const)('%s: the same 200 greedy tokens at 3…8 bits', async ([name, config], { skip }) => {
    skip(missing !== undefined, missing)
    const [original, quantized] = [join(directory, name), join(directory, `${name} quantized`)]
    await writeTinyModel(original, { edit: lively, config: { ...shared, ...config } })
    await quantizeModel(original, quantized)
    const trials = await compare(quantized, withoutTies, instructionSets)

    await using model = await onCpu(quantized, 'auto')
    const { prompt, path } = trials.get(3)!
    const generated: number[] = []
    const options = { temperature: 0, maxTokens: tokenCount, precision: 3, ignoreEos: true }
    for await (const { token } of model.generate(prompt, options)) generated.push(token)
    expect(generated).toEqual(path.map((choice) => choice.token))
  })
})

const data = process.env.DPLLM_DATA
describe.skipIf(!data)('story models', () => {
  test.for<[string, readonly Instructions[]]>([
    ['stories260K', instructionSets],
    ['stories15M', ['auto']],
  ])('%s on %j: the same 200 greedy tokens at 3…8 bits', { timeout: 300_000 }, async ([name, sets], { skip }) => {
    skip(missing !== undefined, missing)
    const quantized = join(directory, name)
    await quantizeModel(join(data!, name), quantized)
    const storyOf = async (reference: Model, bits: number): Promise<Trial> => {
      const prompt = reference.tokenizer.encode('Once upon a time')
      return { prompt, path: await greedyPath(reference, prompt, tokenCount, bits) }
    }
    const trials = await compare(quantized, storyOf, sets)
    // The bit counts tell different stories.
    expect(new Set([...trials.values()].map(({ path }) => path.map(({ token }) => token).join())).size).toBeGreaterThan(2)
  })
})
