import { expect, test } from 'vitest'
import { dot } from '../../test/gradient-case.js'
import { gradientModel, samples, VOCABULARY } from '../../test/gradient-model.js'
import type { CompiledProgram } from '../backend/backend.js'
import { InvalidArgumentError, UnsupportedError } from '../errors.js'
import { checkProgram } from '../program/check.js'
import type { Program } from '../program/program.js'
import type { Weight } from '../program/weights.js'
import { createReferenceBackend } from '../reference/backend.js'
import { centralDifference, relativeError, runInF64 } from '../testing/index.js'
import { type GradientOptions, gradientProgram } from './gradient-program.js'

const { program, weights } = gradientModel()
const kinds = ({ operators }: Program) => operators.map(({ kind }) => kind)
const total = (loss: ArrayLike<number>) => Array.from(loss).reduce((a, b) => a + b)

/** The same weights but `name`, element `i` of which is `h` more (as near as f32 is, and what it is more by). */
function changed(name: string, i: number, h: number): { weights: Map<string, Weight>; by: number } {
  const weight = weights.get(name) as Extract<Weight, { dtype: 'f32' }>
  const data = weight.data.slice()
  data[i] += h
  return { weights: new Map(weights).set(name, { ...weight, data }), by: data[i] - weight.data[i] }
}

/** d Σ loss / d weight, element by element. */
function weightDifferences(name: string, sample: (typeof samples)[number]): number[] {
  const { data } = weights.get(name) as Extract<Weight, { dtype: 'f32' }>
  const loss = (w: Map<string, Weight>) => total(runInF64(program, w, { ...sample, outputs: ['loss'] }).outputs.loss)
  const unchanged = loss(weights)
  return Array.from(data, (_, i) =>
    centralDifference((h) => {
      const { weights: w, by } = changed(name, i, h)
      // As if the weight had changed by exactly h.
      return (h / by) * (loss(w) - unchanged)
    }),
  )
}

test('accumulates the sum of gradients and the sum of their squares, step by step', async () => {
  const wanted = ['w.gate0', 'w.down1'].flatMap((weight) => (['sum', 'squares'] as const).map((mode) => ({ weight, mode })))
  const reverse = gradientProgram(program, { loss: 'loss', weights: wanted })
  await using compiled = await createReferenceBackend().compile(reverse, weights)
  using cache = compiled.createCache(16)
  for (const sample of samples) await compiled.run({ ...sample, cache, outputs: [] })
  for (const name of ['w.gate0', 'w.down1']) {
    const each = samples.map((sample) => weightDifferences(name, sample))
    const sums = each[0].map((_, i) => total(each.map((g) => g[i])))
    const squares = each[0].map((_, i) => total(each.map((g) => g[i] ** 2)))
    expect(relativeError(await compiled.accumulator(`sum:${name}`), sums)).toBeLessThan(1e-5)
    expect(relativeError(await compiled.accumulator(`squares:${name}`), squares)).toBeLessThan(1e-5)
    const { accumulators } = runInF64(reverse, weights, { ...samples[1], outputs: [] })
    expect(relativeError(accumulators[`sum:${name}`], each[1])).toBeLessThan(1e-6)
  }
})

test('accumulators are copies, and a run that is resumed goes on with the same bits', async () => {
  const options: GradientOptions = { loss: 'loss', weights: [{ weight: 'w.up1', mode: 'squares' }] }
  const reverse = gradientProgram(program, options)
  const name = 'squares:w.up1'
  const run = async (compiled: CompiledProgram, steps: typeof samples) => {
    using cache = compiled.createCache(16)
    for (const sample of steps) await compiled.run({ ...sample, cache, outputs: [] })
    return await compiled.accumulator(name)
  }
  await using first = await createReferenceBackend().compile(reverse, weights)
  await using second = await createReferenceBackend().compile(reverse, weights)
  expect((await first.accumulator(name)).every((x) => x === 0)).toBe(true)
  const half = await run(first, samples.slice(0, 2))
  const kept = half.slice()
  const whole = await run(first, samples.slice(2))
  expect(half).toEqual(kept)
  await second.setAccumulator(name, half)
  half.fill(0)
  expect(await run(second, samples.slice(2))).toEqual(whole)
  await expect(first.accumulator('sum:w.up1')).rejects.toThrow(InvalidArgumentError)
  await expect(first.setAccumulator(name, new Float32Array(3))).rejects.toThrow(/48 values/)
})

test('a weight of two readers has the gradient of both: a head tied to the embedding', () => {
  const reverse = gradientProgram(program, { loss: 'loss', of: ['x0'], weights: [{ weight: 'table', mode: 'sum' }] })
  for (const sample of samples) {
    const { outputs, accumulators } = runInF64(reverse, weights, { ...sample, outputs: ['grad:x0'] })
    const gradient = accumulators['sum:table']
    const D = gradient.length / VOCABULARY
    sample.tokens.forEach((token, t) => {
      for (let i = 0; i < D; i++) gradient[token * D + i] += outputs['grad:x0'][t * D + i]
    })
    expect(relativeError(gradient, weightDifferences('table', sample))).toBeLessThan(1e-6)
  }
})

test('the loss can be scaled', () => {
  const run = (lossScale: number) => {
    const reverse = gradientProgram(program, { loss: 'loss', lossScale, of: ['x0'] })
    return runInF64(reverse, weights, { ...samples[0], outputs: ['grad:x0', 'loss'] }).outputs
  }
  const [whole, half] = [run(1), run(0.5)]
  expect(
    relativeError(
      half['grad:x0'].map((x) => 2 * x),
      whole['grad:x0'],
    ),
  ).toBeLessThan(1e-14)
  expect(half.loss).toEqual(whole.loss)
})

test('parts of a model, one after another, give the gradients of the whole', () => {
  const options: GradientOptions = { weights: [{ weight: 'w.gate0', mode: 'sum' }], of: ['x0'] }
  const whole = runInF64(gradientProgram(program, { ...options, loss: 'loss' }), weights, {
    ...samples[0],
    outputs: ['grad:x0', 'x1'],
  })
  const cut = program.operators.findIndex((op) => op.kind === 'add') + 1
  const later = { ...program, operators: program.operators.slice(cut), inputs: ['x1'] }
  const { outputs } = runInF64(gradientProgram(later, { loss: 'loss', of: ['x1'] }), weights, {
    ...samples[0],
    inputs: { x1: whole.outputs.x1 },
    outputs: ['grad:x1'],
  })
  const earlier = { ...program, operators: program.operators.slice(0, cut) }
  const parts = runInF64(gradientProgram(earlier, { ...options, given: ['x1'] }), weights, {
    ...samples[0],
    inputs: { 'given:x1': outputs['grad:x1'] },
    outputs: ['grad:x0'],
  })
  expect(parts.outputs['grad:x0']).toEqual(whole.outputs['grad:x0'])
  expect(parts.accumulators).toEqual(whole.accumulators)
})

test('gradients that values share have the names that were asked for', () => {
  // The residual passes its gradient to the MLP's output as it is.
  const reverse = gradientProgram(program, { loss: 'loss', of: ['down1', 'x2', 'x1'] })
  const { outputs } = runInF64(reverse, weights, { ...samples[0], outputs: ['grad:down1', 'grad:x2', 'grad:x1'] })
  expect(outputs['grad:down1']).toEqual(outputs['grad:x2'])
  expect(relativeError(outputs['grad:x1'], outputs['grad:x2'])).toBeGreaterThan(0.01)
})

test('only what is asked for is computed', () => {
  const head = gradientProgram(program, { loss: 'loss', weights: [{ weight: 'table', mode: 'sum' }] })
  expect(kinds(head).slice(program.operators.length)).toEqual(['crossEntropyGradient', 'accumulate'])
  expect(() => checkProgram(head, weights)).not.toThrow()

  // Without the loss, the operators after the value whose gradient is given are not needed.
  const first = gradientProgram(program, { given: ['up0'], weights: [{ weight: 'w.up0', mode: 'squares' }] })
  expect(kinds(first)).toEqual(['embed', 'rmsNorm', 'accumulate'])
  expect(Object.keys(first.values).sort()).toEqual(['given:up0', 'norm0', 'tokens', 'x0'])
  expect(first.inputs).toEqual(['given:up0'])
  expect(first.accumulators).toEqual([{ name: 'squares:w.up0', shape: [8, 6] }])
  expect(() => checkProgram(first, weights)).not.toThrow()
})

test('what cannot be differentiated is refused, by name', () => {
  const attempt =
    (options: GradientOptions, p = program) =>
    () =>
      gradientProgram(p, options)
  expect(attempt({ of: ['x0'] })).toThrow(/a loss, or values/)
  expect(attempt({ loss: 'logits' })).toThrow(/a crossEntropy or a klDivergence writes.*"logits"/)
  expect(attempt({ loss: 'loss', of: ['nothing'] })).toThrow(/"nothing"/)
  expect(attempt({ loss: 'loss', of: ['tokens'] })).toThrow(/f32 values.*"tokens"/)
  expect(attempt({ given: ['x1'], of: ['x2'] })).toThrow(/the loss depends on.*"x2"/)
  expect(attempt({ loss: 'loss', weights: [{ weight: 'n0', mode: 'sum' }] })).toThrow(/weights of linears.*"n0"/)
  expect(attempt({ given: ['x1'], weights: [{ weight: 'w.up1', mode: 'sum' }] })).toThrow(InvalidArgumentError)

  const reverse = gradientProgram(program, { loss: 'loss', of: ['x0'] })
  expect(attempt({ given: ['grad:x0'], of: ['x0'] }, reverse)).toThrow(UnsupportedError)
  expect(attempt({ loss: 'loss', of: ['x0'] }, reverse)).toThrow(/one without gradients/)

  const twice: Program = {
    ...program,
    operators: program.operators.map((op) => (op.kind === 'linear' && op.out === 'up0' ? { ...op, weight: 'w.gate0' } : op)),
  }
  expect(attempt({ loss: 'loss', weights: [{ weight: 'w.gate0', mode: 'sum' }] }, twice)).not.toThrow()
  expect(attempt({ loss: 'loss', weights: [{ weight: 'w.gate0', mode: 'squares' }] }, twice)).toThrow(/several linears/)

  const split: Program = {
    values: { x: { dtype: 'f32', shape: ['T', 4] }, a: { dtype: 'f32', shape: ['T', 3] }, b: { dtype: 'f32', shape: ['T', 1] } },
    operators: [{ kind: 'split', x: 'x', outs: ['a', 'b'] }],
    caches: [],
    inputs: ['x'],
  }
  expect(attempt({ given: ['a'], of: ['x'] }, split)).toThrow(/b is split off/)
})

test('steps are checked: inputs, targets, position', () => {
  const reverse = gradientProgram(program, { loss: 'loss', given: ['x1'], of: ['x0'] })
  const run = (step: object) => () => runInF64(reverse, weights, { ...samples[0], outputs: ['grad:x0'], ...step })
  const inputs = { 'given:x1': new Float32Array(6 * samples[0].tokens.length) }
  expect(run({ inputs })).not.toThrow()
  expect(run({})).toThrow(/inputs\.given:x1: expected 24 values/)
  expect(run({ inputs: { 'given:x1': new Float32Array(6) } })).toThrow(/24 values, found 6/)
  expect(run({ inputs, targets: undefined })).toThrow(/targets/)
  expect(run({ inputs, targets: Uint32Array.of(1, 2, 3, VOCABULARY) })).toThrow(/ids below 11, found 11/)
  const query = { x: { dtype: 'f32' as const, shape: ['T' as const, 2] }, y: { dtype: 'f32' as const, shape: ['T' as const, 2] } }
  const shape = { layer: 0, heads: 1, kvHeads: 1, headDim: 2, scale: 1 }
  const attention: Program = {
    values: query,
    operators: [{ kind: 'attention', q: 'x', k: 'x', v: 'x', ...shape, out: 'y' }],
    caches: [{ width: 2 }],
    inputs: ['x'],
  }
  const step = {
    tokens: new Uint32Array(1),
    outputs: ['grad:x'],
    inputs: { x: new Float32Array(2), 'given:y': new Float32Array(2) },
  }
  const attend = (position: number) => () =>
    runInF64(gradientProgram(attention, { given: ['y'], of: ['x'] }), new Map(), { ...step, position })
  expect(attend(0)).not.toThrow()
  expect(attend(1)).toThrow(/position: expected 0/)
  expect(run({ inputs, rows: new Uint32Array(0), targets: new Uint32Array(0) })).not.toThrow()
})

test('gradients of values by differences through the whole', () => {
  const reverse = gradientProgram(program, { loss: 'loss', of: ['x0'] })
  const { outputs } = runInF64(reverse, weights, { ...samples[2], outputs: ['x0', 'grad:x0'] })
  const later = { ...program, operators: program.operators.slice(1), inputs: ['x0'] }
  const loss = (x0: Float64Array) =>
    total(runInF64(later, weights, { ...samples[2], inputs: { x0 }, outputs: ['loss'] }).outputs.loss)
  const differences = Array.from(outputs.x0, (x, i) => centralDifference((h) => loss(outputs.x0.with(i, x + h))))
  expect(relativeError(outputs['grad:x0'], differences)).toBeLessThan(1e-6)
  expect(dot(differences, differences)).toBeGreaterThan(0)
})
