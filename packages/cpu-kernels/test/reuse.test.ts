import { type Step, type StepResult, staticPolicy } from '@dpllm/core'
import { testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'

const copyOf = ({ outputs, bits, estimates }: StepResult) => structuredClone({ outputs, bits, estimates })

async function compile() {
  const backend = createCpuBackend({ threads: 1 })
  const { program, weights } = testProgram()
  const compiled = await backend.compile(program, weights)
  const cache = compiled.createCache(16)
  const plain = compiled.createCache(16)
  /** The step with something to reuse, and the same without. */
  const both = async (step: Omit<Step, 'cache'>, reuse: StepResult) => {
    const found = await compiled.run({ ...step, cache, reuse })
    return { found, wanted: await compiled.run({ ...step, cache: plain }) }
  }
  return { backend, compiled, cache, both }
}

describe.skipIf(!probeCpu().ok)('results to reuse', () => {
  test('a step of the same kind fills their arrays with its own results', async () => {
    const { backend, compiled, cache, both } = await compile()
    await using _ = backend
    const policies = [3, 4].map((bits) => staticPolicy([bits]))
    const slope = { estimators: [{ kind: 'linear', slope: 1, intercept: 0 } as const], thresholds: policies[0].thresholds }
    const first = await compiled.run({ tokens: Uint32Array.of(1), position: 0, cache, policy: slope })
    expect(first.estimates[0]).toBeGreaterThan(0)
    const { logits } = first.outputs
    const steps = [
      { tokens: Uint32Array.of(7), position: 0, policy: policies[0] },
      { tokens: Uint32Array.of(9), position: 1, policy: policies[1] },
      { tokens: Uint32Array.of(2), position: 2, policy: slope },
    ]
    for (const step of steps) {
      const { found, wanted } = await both(step, first)
      expect(found).toBe(first)
      expect(found.outputs.logits).toBe(logits)
      expect(copyOf(found)).toEqual(copyOf(wanted))
    }
  })

  test('a step of another kind leaves them as they are', async () => {
    const { backend, compiled, cache, both } = await compile()
    await using _ = backend
    const policy = staticPolicy([3])
    const first = await compiled.run({ tokens: Uint32Array.of(1), position: 0, cache, policy })
    const before = copyOf(first)
    const others: Omit<Step, 'cache'>[] = [
      { tokens: Uint32Array.of(1, 2), position: 0, policy },
      { tokens: Uint32Array.of(1), position: 0 },
      { tokens: Uint32Array.of(1), position: 0, policy, outputs: ['norm'] },
      { tokens: Uint32Array.of(1), position: 0, policy, outputs: ['logits', 'norm'] },
      { tokens: Uint32Array.of(1), position: 0, policy, targets: Uint32Array.of(3), outputs: ['logits', 'loss'] },
      { tokens: Uint32Array.of(1), position: 0, policy, rows: Uint32Array.of(0, 0) },
    ]
    for (const step of others) {
      const { found, wanted } = await both(step, first)
      expect(found).not.toBe(first)
      expect(copyOf(found)).toEqual(copyOf(wanted))
    }
    expect(copyOf(first)).toEqual(before)
  })

  test('arrays that have been transferred are not written to', async () => {
    const { backend, compiled, cache, both } = await compile()
    await using _ = backend
    const step = { tokens: Uint32Array.of(1), position: 0, policy: staticPolicy([3]) }
    const take: ((result: StepResult) => ArrayBufferLike)[] = [
      ({ outputs }) => outputs.logits.buffer,
      ({ bits }) => bits.buffer,
      ({ estimates }) => estimates.buffer,
    ]
    for (const bufferOf of take) {
      const first = await compiled.run({ ...step, cache })
      structuredClone(bufferOf(first), { transfer: [bufferOf(first) as ArrayBuffer] })
      const { found, wanted } = await both(step, first)
      expect(found === first).toBe(false)
      expect(copyOf(found)).toEqual(copyOf(wanted))
    }
  })

  test('results of other programs and objects that are none are passed over', async () => {
    const [a, b] = [await compile(), await compile()]
    await using _a = a.backend
    await using _b = b.backend
    const step = { tokens: Uint32Array.of(1), position: 0 }
    const foreign = await b.compiled.run({ ...step, cache: b.cache })
    for (const reuse of [foreign, { outputs: {}, bits: new Uint8Array(0), estimates: new Float32Array(0) }]) {
      const { found, wanted } = await a.both(step, reuse)
      expect(found).not.toBe(reuse)
      expect(copyOf(found)).toEqual(copyOf(wanted))
    }
  })

  test('what a step is given may change as soon as it has been called', async () => {
    const { backend, compiled, cache, both } = await compile()
    await using _ = backend
    const policy = staticPolicy([3])
    const first = await compiled.run({ tokens: Uint32Array.of(1), position: 0, cache, policy })
    const { wanted } = await both({ tokens: Uint32Array.of(5), position: 0, policy }, first)
    const tokens = Uint32Array.of(5)
    const running = compiled.run({
      tokens,
      position: 0,
      cache,
      policy: { ...policy, estimators: [...policy.estimators] },
      reuse: first,
    })
    // Its turn comes, and its estimators are taken over, within some microtasks; native code takes longer to begin.
    for (let i = 0; i < 50; i++) await undefined
    tokens[0] = 2 ** 32 - 1
    expect((await running).outputs.logits).toEqual(wanted.outputs.logits)
  })
})
