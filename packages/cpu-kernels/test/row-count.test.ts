import { createRandom, type Policy, pairThresholds } from '@dpllm/core'
import { operatorCase, randomBitPlanes, randomTensor, runCase } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'

const probe = probeCpu()

/** A linear whose tokens read `low` or `high` bits, and steps that take all tokens at once and one by one. */
function mixedCase(N: number, K: number, T: number, [low, high]: readonly [number, number]) {
  const random = createRandom(N * 1000 + K + T)
  const x = randomTensor(random, [T, K])
  const weights = { w: randomBitPlanes(N + K, N, K, 3, 8), b: randomTensor(random, [N], 0.1) }
  const policy: Policy = {
    estimators: [{ kind: 'probe', weights: randomTensor(random, [K]), bias: 0 }],
    thresholds: pairThresholds(low, high, 0),
  }
  const single = Array.from({ length: T }, (_, t) => ({ policy, tokens: Uint32Array.of(t), position: t }))
  return operatorCase(`${N}x${K} ${low}|${high} T=${T}`, {
    inputs: { x },
    outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: N } },
    weights,
    operators: [
      { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
      { kind: 'linear', x: 'x', weight: 'w', bias: 'b', bits: 'bits', out: 'y' },
    ],
    steps: [{ policy }, ...single],
    tolerance: { f32: 0, precise: 0, fast: 0, tensor: 0 },
  })
}

// AVX-512 multiplies many rows by the same integers, added up in the same order, as few: a prompt's tokens, those of a
// batch and drafted ones get what decoding gets. Other instruction sets take exact centroids for many rows.
describe.skipIf(!probe.ok || !probe.available.includes('avx512'))('rows of a step', () => {
  for (const [N, K] of [
    [7, 40],
    [33, 512],
    [50, 1056],
    [16, 2600],
  ] as const) {
    for (const [T, bits] of [
      [5, [3, 4]],
      [9, [4, 5]],
      [23, [6, 8]],
      [140, [3, 7]],
    ] as const) {
      test(`${N}x${K}, ${T} rows of ${bits.join(' or ')} bits give the same together and alone`, async () => {
        await using backend = createCpuBackend({ instructions: 'avx512', threads: 2 })
        const [together, ...alone] = await runCase(backend, mixedCase(N, K, T, bits))
        expect(together.bits).toEqual(Uint8Array.from(alone.flatMap((step) => [...step.bits])))
        expect(new Set(together.bits)).toEqual(new Set(bits))
        expect(together.outputs.y).toEqual(Float32Array.from(alone.flatMap((step) => [...step.outputs.y])))
      })
    }
  }
})
