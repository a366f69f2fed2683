import {
  averageBitsName,
  BackendUnavailableError,
  createRandom,
  InvalidArgumentError,
  mixedProgram,
  type Program,
} from '@dpllm/core'
import { randomBitPlanes, randomTensor, testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'

/** Two sums of dyᵀ x for x and dy that steps give, and a norm of x. */
const sums: Program = {
  values: {
    x: { dtype: 'f32', shape: ['T', 3] },
    dy: { dtype: 'f32', shape: ['T', 2] },
    y: { dtype: 'f32', shape: ['T', 3] },
    unused: { dtype: 'f32', shape: [2, 2] },
  },
  operators: [
    { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'sum', into: 'sum' },
    { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'squares', into: 'squares' },
    { kind: 'rmsNorm', x: 'x', weight: 'norm', eps: 1, out: 'y' },
  ],
  caches: [],
  inputs: ['x', 'dy', 'unused'],
  accumulators: ['sum', 'squares'].map((name) => ({ name, shape: [2, 3] })),
}
const norm = { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) } as const
const step = { tokens: new Uint32Array(1), position: 0, outputs: [] }
const inputs = { x: Float32Array.of(1, 2, 3), dy: Float32Array.of(1, -2), unused: new Float32Array(4) }
const gradient = Float32Array.of(1, 2, 3, -2, -4, -6)

describe.skipIf(!probeCpu().ok)('what outlives steps', () => {
  const open = async (program = sums, weights: ReadonlyMap<string, typeof norm> = new Map([['norm', norm]])) => {
    const backend = createCpuBackend({ threads: 2 })
    const compiled = await backend.compile(program, weights)
    return { backend, compiled, cache: compiled.createCache(8), [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() }
  }

  test('accumulators are read and set between the steps that were called before and after', async () => {
    await using cpu = await open()
    const { compiled, cache } = cpu
    const run = () => compiled.run({ ...step, cache, inputs })
    const set = Float32Array.of(10, 20, 30, 40, 50, 60)
    const [zero, , once, , , twice, squares, , resumed] = await Promise.all([
      compiled.accumulator('sum'),
      run(),
      compiled.accumulator('sum'),
      run(),
      compiled.setAccumulator('squares', new Float32Array(6)),
      compiled.accumulator('sum'),
      compiled.accumulator('squares'),
      compiled.setAccumulator('sum', set).then(run),
      compiled.accumulator('sum'),
    ])
    expect(zero).toEqual(new Float32Array(6))
    expect(once).toEqual(gradient)
    expect(twice).toEqual(gradient.map((g) => 2 * g))
    expect(squares).toEqual(new Float32Array(6))
    expect(resumed).toEqual(set)
    expect(await compiled.accumulator('sum')).toEqual(set.map((s, i) => s + gradient[i]))
    expect(await compiled.accumulator('squares')).toEqual(gradient.map((g) => g * g))
    // A copy.
    once.fill(7)
    set.fill(7)
    expect((await compiled.accumulator('sum'))[0]).toBe(11)
  })

  test('names and sizes that do not fit are refused, and a disposed program', async () => {
    await using cpu = await open()
    const { compiled, cache } = cpu
    await expect(compiled.accumulator('x')).rejects.toThrow(/accumulator: expected names .*"x"/)
    await expect(compiled.setAccumulator('sum', new Float32Array(5))).rejects.toThrow(/sum: expected 6 values, found 5/)
    await expect(compiled.updateWeights(['sum'])).rejects.toThrow(InvalidArgumentError)
    const bad = [{}, { inputs: { ...inputs, dy: new Float32Array(3) } }, { inputs: { x: inputs.x, dy: inputs.dy } }]
    for (const b of bad) await expect(compiled.run({ ...step, cache, ...b })).rejects.toThrow(/inputs\./)
    expect(await compiled.accumulator('sum')).toEqual(new Float32Array(6))
    await compiled[Symbol.asyncDispose]()
    await expect(compiled.accumulator('sum')).rejects.toThrow(BackendUnavailableError)
    await expect(compiled.updateWeights(['norm'])).rejects.toThrow(BackendUnavailableError)
  })

  test('inputs are read as they were when the step began, and may be outputs', async () => {
    await using cpu = await open()
    const { compiled, cache } = cpu
    const x = inputs.x.slice()
    const result = await compiled.run({ ...step, cache, inputs: { ...inputs, x }, outputs: ['x', 'y', 'unused'] })
    expect(result.outputs.x).toEqual(x)
    expect(result.outputs.x).not.toBe(x)
    expect(result.outputs.unused.length).toBe(4)
    const running = compiled.run({ ...step, cache, inputs: { ...inputs, x } })
    await new Promise((resolve) => setImmediate(resolve))
    x.fill(100)
    await running
    expect(await compiled.accumulator('sum')).toEqual(gradient.map((g) => 2 * g))
  })

  test.skipIf(process.platform !== 'linux')('accumulators take no memory until they are written to', async () => {
    const side = 2 ** 14
    const values = { x: { dtype: 'f32', shape: ['T', side] }, dy: { dtype: 'f32', shape: ['T', side] } } as const
    const before = process.memoryUsage().rss
    await using cpu = await open({
      ...sums,
      values,
      inputs: ['x', 'dy'],
      operators: [],
      accumulators: [{ name: 'sum', shape: [side, side] }],
    })
    expect(cpu.compiled.selects).toEqual([])
    expect(process.memoryUsage().rss - before).toBeLessThan(side * side)
  })

  test('weights that have changed are read anew, fixed-point tables and vectors too', async () => {
    const { program, weights } = testProgram()
    const changed = new Map(weights)
    const wq = randomBitPlanes(1, 64, 64)
    const w = { ...(changed.get('norm.weight') as typeof norm), data: new Float32Array(64).fill(1) }
    changed.set('wq', wq).set('norm.weight', w)
    await using backend = createCpuBackend({ threads: 2 })
    await using compiled = await backend.compile(program, changed)
    for (const length of [1, 6]) {
      const run = async (p = compiled) => {
        const tokens = Uint32Array.from({ length }, (_, t) => t + 1)
        return (await p.run({ tokens, position: 0, cache: p.createCache(8), outputs: ['q'] })).outputs.q
      }
      const before = await run()
      w.data.fill(-3)
      for (const lut of wq.luts) for (let i = 0; i < lut.length; i += 2) lut[i] ^= 0x8000
      await compiled.updateWeights(['wq', 'norm.weight'])
      await using anew = await backend.compile(program, changed)
      expect(await run()).toEqual(await run(anew))
      expect(await run()).not.toEqual(before)
    }
  })

  test('average bits that are not loaded are refused before anything runs', async () => {
    const random = createRandom(3)
    const bits = { dtype: 'u8', shape: ['T'] } as const
    const program = mixedProgram({
      values: {
        x: { dtype: 'f32', shape: ['T', 32] },
        bits,
        e: { dtype: 'f32', shape: ['T'] },
        y: { dtype: 'f32', shape: ['T', 8] },
      },
      operators: [
        { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
        { kind: 'linear', x: 'x', weight: 'w', bits: 'bits', out: 'y' },
      ],
      caches: [],
      inputs: ['x'],
    })
    await using backend = createCpuBackend({ threads: 1 })
    await using compiled = await backend.compile(program, new Map([['w', randomBitPlanes(1, 8, 32, 3, 6)]]))
    const x = randomTensor(random, [1, 32]).data
    const run = (p: number) => {
      const given = { x, [averageBitsName('w')]: Float32Array.of(p) }
      return compiled.run({ ...step, cache: compiled.createCache(1), inputs: given, outputs: ['y'] })
    }
    for (const p of [2.9, 6.1, Number.NaN]) await expect(run(p)).rejects.toThrow(InvalidArgumentError)
    expect((await run(6)).outputs.y).not.toEqual((await run(5)).outputs.y)
  })
})
