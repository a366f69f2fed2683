import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { calibrateModel, quantizeModel } from '@dpllm/calibration'
import { readText } from '@dpllm/core/node'
import { probeCpu } from '@dpllm/cpu-kernels'
import { type PerplexityOptions, type PerplexityResult, pairedDifference, perplexity } from '@dpllm/eval'
import { type LoadOptions, loadModel } from '@dpllm/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// Here because the quantizer and the evaluation do not know each other; only the command line knows both.

const data = process.env.DPLLM_DATA
const allBits = [3, 4, 5, 6, 7, 8]

/** The ratio of b's perplexity to a's, minus 1, and its standard error; as fractions. */
function change(a: PerplexityResult, b: PerplexityResult) {
  const { mean, standardError } = pairedDifference(a, b)
  return { ratio: Math.expm1(mean), error: standardError }
}

/** The result for the first chunks alone. */
function firstOf(result: PerplexityResult, tokens: number): PerplexityResult {
  return { ...result, nll: result.nll.subarray(0, tokens), tokens }
}

// Too much for the reference backend.
describe.skipIf(!data || !probeCpu().ok).each([
  { name: 'stories260K', contextLength: 512, chunks: 48, decodedBits: allBits, decodedChunks: 24 },
  { name: 'stories15M', contextLength: 256, chunks: 100, decodedBits: [4, 8], decodedChunks: 40 },
])('$name', ({ name, contextLength, chunks, decodedBits, decodedChunks }) => {
  let folder: string
  let quantized: string
  let text: string
  /** At each number of bits, in steps of many tokens, whose products are sums in f32. */
  const uniform = new Map<number, PerplexityResult>()
  const at = (bits: number) => uniform.get(bits)!

  const evaluate = async (model: string, load: LoadOptions, options: PerplexityOptions) => {
    await using loaded = await loadModel(model, { backend: 'cpu', ...load })
    return await perplexity(loaded, text, { protocol: 'papers', contextLength, chunks, ...options })
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dpllm-quality-'))
    quantized = path.join(folder, name)
    const train = await readText(path.join(data!, 'tinystories', 'train-2MiB.txt'))
    text = await readText(path.join(data!, 'tinystories', 'valid-a.txt'))
    await quantizeModel(path.join(data!, name), quantized, { calibrationText: train })
    await calibrateModel({ model: quantized, calibrationText: train, memoryBudget: 5, targets: [3.5, 4.5] })
    for (const bits of allBits) uniform.set(bits, await evaluate(quantized, { profile: false }, { precision: bits }))
  }, 300_000)
  afterAll(() => rm(folder, { recursive: true }))

  test('perplexity falls with every bit; the last one may not show', () => {
    for (const bits of [3, 4, 5, 6]) expect(at(bits + 1).perplexity, `${bits + 1} bits`).toBeLessThan(at(bits).perplexity)
    const { ratio, error } = change(at(7), at(8))
    expect(ratio).toBeLessThan(error)
  })

  test('at 8 bits it is within 0.5 % of the unquantized model', async () => {
    const { ratio, error } = change(await evaluate(path.join(data!, name), {}, {}), at(8))
    expect(Math.abs(ratio)).toBeLessThan(0.005)
    expect(error).toBeLessThan(0.001)
  })

  test.each([3.5, 4.5])('a target of %f bits is met on another text, between its neighbours', async (targetBits) => {
    const dynamic = await evaluate(quantized, {}, { targetBits })
    expect(Math.abs(dynamic.effectiveBits - targetBits)).toBeLessThan(0.1)
    expect(dynamic.perplexity).toBeLessThan(at(Math.floor(targetBits)).perplexity)
    expect(dynamic.perplexity).toBeGreaterThan(at(Math.ceil(targetBits)).perplexity)
  })

  test('decoding: precise arithmetic changes nothing', async () => {
    const decoded = await evaluate(
      quantized,
      { profile: false, arithmetic: 'precise' },
      { precision: 3, chunks: 4, batchSize: 1 },
    )
    const { ratio } = change(firstOf(at(3), decoded.tokens), decoded)
    expect(Math.abs(ratio)).toBeLessThan(1e-4)
  })

  // 8-bit activations are as much noise for any one token, so it takes 10 thousand tokens to see the mean to 0.04 %.
  test.each(decodedBits)(
    'decoding: default arithmetic moves perplexity by at most 0.1 %% at %i bits',
    async (bits) => {
      const options = { precision: bits, chunks: decodedChunks, batchSize: 1 }
      const decoded = await evaluate(quantized, { profile: false }, options)
      const { ratio, error } = change(firstOf(at(bits), decoded.tokens), decoded)
      console.log(name, bits, ratio, error)
      expect(error).toBeLessThan(5e-4)
      expect(Math.abs(ratio)).toBeLessThan(1e-3)
    },
    120_000,
  )
})
