import path from 'node:path'
import { readText } from '@dpllm/core/node'
import { loadModel, type ModelConfig, probeBackends } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { comparePredictions, type DivergenceModel, divergence } from './divergence.js'
import { perplexity } from './perplexity.js'

const log = (...probabilities: number[]) => Float32Array.from(probabilities, (p) => Math.log(p) + 3)

test('one prediction against another, from the definition', () => {
  const { kl, sameTop, loss, referenceLoss } = comparePredictions(log(0.5, 0.25, 0.25), log(0.2, 0.4, 0.4), 1)
  expect(kl).toBeCloseTo(0.5 * Math.log(2.5) + 0.5 * Math.log(0.625), 6)
  expect(sameTop).toBe(false)
  expect(loss).toBeCloseTo(-Math.log(0.4), 6)
  expect(referenceLoss).toBeCloseTo(-Math.log(0.25), 6)
  expect(comparePredictions(log(0.7, 0.2, 0.1), log(0.7, 0.2, 0.1), 0)).toMatchObject({ kl: 0, sameTop: true })
  expect(comparePredictions(log(1, 0, 0), log(0.5, 0.25, 0.25), 0).kl).toBeCloseTo(Math.log(2), 6)
})

/** Predicts token v with weight 1, the token after the last with weight `sharpness`. */
function fakeModel(sharpness: number, { vocabularySize = 8, contextLength = 16, shift = 0 } = {}): DivergenceModel {
  return {
    config: { contextLength, vocabularySize } as ModelConfig,
    tokenizer: { bosId: 1, encode: (text) => Uint32Array.from([1, ...text], (c) => Number(c) + shift) },
    precision: () => ({ policy: undefined, prefillPolicy: undefined }),
    effectiveBits: () => 4,
    createCache: (capacity) => ({ capacity, [Symbol.dispose]: () => {} }),
    run: async (step) => {
      const logits = [...step.rows!].flatMap((row) => {
        const next = (step.tokens[row] + 1) % vocabularySize
        return Array.from({ length: vocabularySize }, (_, v) => (v === next ? Math.log(sharpness) : 0))
      })
      return {
        outputs: { logits: Float32Array.from(logits) },
        bits: new Uint8Array(step.tokens.length),
        estimates: new Float32Array(),
      }
    },
  }
}

test('two models on one text, whatever the batch', async () => {
  const options = { protocol: 'papers', contextLength: 5 } as const
  const result = await divergence(fakeModel(3), fakeModel(5), '2345234', options)
  // p = 5/12 and 1/12 seven times against q = 3/10 and 1/10 seven times.
  const kl = (5 / 12) * Math.log(50 / 36) + (7 / 12) * Math.log(10 / 12)
  expect(result.klDivergence).toMatchObject({ mean: expect.closeTo(kl, 6), standardError: expect.closeTo(0, 6) })
  expect(result.klDivergence.max).toBeCloseTo(kl, 6)
  expect(result.topAgreement).toEqual({ mean: 1, standardError: 0 })
  expect(result).toMatchObject({ tokens: 4, chunks: 1, effectiveBits: 4, protocol: 'papers' })
  expect(result.perplexity).toBeCloseTo(10 / 3, 5)
  expect(result.referencePerplexity).toBeCloseTo(12 / 5, 5)
  expect(result.logRatio.mean).toBeCloseTo(Math.log(100 / 72), 5)
  expect(await divergence(fakeModel(3), fakeModel(5), '2345234', { ...options, batchSize: 1 })).toEqual(result)
  expect((await divergence(fakeModel(1 / 3), fakeModel(5), '2345234', options)).topAgreement.mean).toBe(0)
})

test.each([
  [fakeModel(3, { vocabularySize: 9 }), /reference: expected a model with a vocabulary of 8/],
  [fakeModel(3, { contextLength: 4 }), /reference: expected a model with a context of 5/],
  [fakeModel(3, { shift: 1 }), /reference: expected a model with the same tokens/],
])('a reference that does not fit is refused (%#)', async (reference, message) => {
  await expect(divergence(fakeModel(3), reference, '2345234', { contextLength: 5 })).rejects.toThrow(message)
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('a real model does not differ from itself, and its perplexity is that of perplexity()', async () => {
  const usable = probeBackends().find(({ usable, name }) => usable && name !== 'cuda')!
  const folder = path.join(data!, 'stories260K')
  await using model = await loadModel(folder, { backend: usable.name })
  await using reference = await loadModel(folder, { backend: usable.name })
  const text = await readText(path.join(data!, 'tinystories', 'valid-a.txt'))
  const options = { contextLength: 128, chunks: 3 }
  const result = await divergence(model, reference, text, options)
  expect(result).toMatchObject({ topAgreement: { mean: 1 }, logRatio: { mean: 0 }, effectiveBits: 32 })
  expect(result.klDivergence.max).toBeLessThan(1e-12)
  expect(result.perplexity).toBeCloseTo((await perplexity(model, text, options)).perplexity, 4)
})
