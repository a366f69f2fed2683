import {
  createRandom,
  createReferenceBackend,
  type Estimator,
  type Policy,
  pairThresholds,
  rowWidth,
  type StepResult,
  staticPolicy,
  THRESHOLDS,
} from '@dpllm/core'
import { randomTensor, relativeError } from '@dpllm/core/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCudaBackend } from '../src/index.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'
import { twoBlocks } from './two-blocks.js'

type Kind = 'probe' | 'mixed'

/** Thresholds in the middle of what is estimated, so that decisions turn from token to token. */
function policyOf({ program }: ReturnType<typeof twoBlocks>, kind: Kind): Policy {
  const random = createRandom(3)
  const widths = program.operators.flatMap((op) => (op.kind === 'select' ? [rowWidth(program.values[op.x].shape)] : []))
  const thresholds = new Float32Array(widths.length * THRESHOLDS)
  const estimators = widths.map((width, i): Estimator => {
    const of = kind === 'mixed' ? (['probe', 'linear', 'projection', 'none'] as const)[i % 4] : kind
    const threshold = { probe: 0, linear: 6, projection: 11, none: 0 }[of]
    thresholds.set(pairThresholds(3 + (i % 3), 6, threshold), i * THRESHOLDS)
    if (of === 'probe') return { kind: of, weights: randomTensor(random, [width]), bias: 0 }
    if (of === 'projection') return { kind: of, matrix: randomTensor(random, [4, width]) }
    return of === 'linear' ? { kind: of, slope: 1, intercept: 0 } : { kind: of }
  })
  return { estimators, thresholds }
}

/** A prompt too long to fork, one that forks, and tokens one by one, which graphs record. */
const lengths = [17, 3, 1, 1, 1, 1, 1]

async function answers(
  compiled: Awaited<ReturnType<ReturnType<typeof createCudaBackend>['compile']>>,
  policy: Policy | undefined,
  outputs = ['logits'],
): Promise<StepResult[]> {
  using cache = compiled.createCache(40)
  const results = []
  let position = 0
  for (const length of lengths) {
    const tokens = Uint32Array.from({ length }, (_, i) => (17 * (position + i) + 3) % 50)
    results.push(await compiled.run({ tokens, position, cache, policy, outputs }))
    position += length
  }
  return results
}

describe.skipIf(!hasHostAddon)('operators that run together or beside the others', () => {
  beforeAll(useHostAddon)
  afterEach(() => {
    delete process.env.DPLLM_SIMT_REVERSE
  })

  // In the opposite order estimates are made as early as they can be, otherwise as late: a missing event shows in one of them.
  test.each([
    { order: '0', graphs: false },
    { order: '0', graphs: true },
    { order: '1', graphs: false },
    { order: '1', graphs: true },
  ])('compute what they do one after another: order $order, graphs $graphs', async ({ order, graphs }) => {
    process.env.DPLLM_SIMT_REVERSE = order
    await using backend = createCudaBackend({ cache: 'f32', graphs })
    for (const residual of [false, true]) {
      const model = twoBlocks(residual)
      const reference = await createReferenceBackend().compile(model.program, model.weights)
      const compiled = await backend.compile(model.program, model.weights)
      for (const kind of ['probe', 'mixed'] as const) {
        const policy = policyOf(model, kind)
        const wanted = await answers(reference, policy)
        const found = await answers(compiled, policy)
        const decided = new Set<number>()
        for (const [i, { bits, estimates, outputs }] of found.entries()) {
          const where = `${kind}, residual ${residual}, step ${i}`
          expect(bits, where).toEqual(wanted[i].bits)
          expect(relativeError(estimates, wanted[i].estimates), where).toBeLessThan(1e-3)
          expect(relativeError(outputs.logits, wanted[i].outputs.logits), where).toBeLessThan(1e-3)
          for (const b of bits) decided.add(b)
        }
        expect(decided.size, kind).toBeGreaterThan(2)
      }
    }
  })

  test('what is fused or runs beside can be an output', async () => {
    await using backend = createCudaBackend({ cache: 'f32' })
    const model = twoBlocks(true)
    const reference = await createReferenceBackend().compile(model.program, model.weights)
    const compiled = await backend.compile(model.program, model.weights)
    const names = ['earlierMlpNorm0', 'earlierAttentionNorm1', 'middle0', 'mlpNorm1', 'q1.rotated', 'k1.rotated', 'up1.estimate']
    for (const policy of [policyOf(model, 'mixed'), staticPolicy(Array(14).fill(4)), undefined]) {
      const wanted = await answers(reference, policy, names)
      for (const [i, { outputs, bits }] of (await answers(compiled, policy, names)).entries()) {
        expect(bits).toEqual(wanted[i].bits)
        for (const name of names) expect(relativeError(outputs[name], wanted[i].outputs[name]), name).toBeLessThan(1e-3)
      }
    }
  })
})
