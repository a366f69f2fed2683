import { expect, test } from 'vitest'
import { samples } from '../../test/gradient-model.js'
import { quantizedModel } from '../../test/quantized-model.js'
import { staticPolicy } from '../backend/policy.js'
import { checkProgram } from '../program/check.js'
import type { Program } from '../program/program.js'
import { centralDifference, relativeError, runInF64 } from '../testing/index.js'
import { gradientProgram } from './gradient-program.js'
import { mixedProgram } from './mixed-program.js'

const { program, weights, names } = quantizedModel()
const mixed = mixedProgram(program)
const at = (bits: readonly number[]) =>
  Object.fromEntries(names.map((name, i) => [`averageBits:${name}`, Float64Array.of(bits[i])]))

test('every selected linear reads its average, and nothing selects', () => {
  expect(mixed.inputs).toEqual(names.map((name) => `averageBits:${name}`))
  expect(mixed.operators.map(({ kind }) => kind)).not.toContain('select')
  expect(Object.keys(mixed.values).filter((name) => /bits$|estimate$/.test(name))).toEqual([])
  expect(() => checkProgram(mixed, weights)).not.toThrow()
})

test('at whole bits it is the program at those bits, between them it is linear', () => {
  const run = (bits: readonly number[]) =>
    runInF64(mixed, weights, { ...samples[0], inputs: at(bits), outputs: ['up1'] }).outputs.up1
  for (const bits of [
    [3, 3, 3],
    [4, 6, 5],
    [6, 5, 6],
  ]) {
    const policy = staticPolicy(bits)
    const wanted = runInF64(program, weights, { ...samples[0], policy, outputs: ['loss'] }).outputs.loss
    const found = runInF64(mixed, weights, { ...samples[0], inputs: at(bits), outputs: ['loss'] }).outputs.loss
    expect(relativeError(found, wanted)).toBeLessThan(1e-12)
  }
  const [low, high] = [run([4, 4, 4]), run([4, 5, 4])]
  const wanted = low.map((y, i) => 0.75 * y + 0.25 * high[i])
  expect(relativeError(run([4, 4.25, 4]), wanted)).toBeLessThan(1e-12)
  expect(() => run([4, 2.9, 4])).toThrow(/average bits: expected 3 to 6, found 2\.9/)
  expect(() => run([4, Number.NaN, 4])).toThrow(/average bits/)
})

test('gradients of the averages, and through the linears, by differences', () => {
  const bits = [3.25, 4.5, 5.875]
  const reverse = gradientProgram(mixed, { loss: 'loss', of: [...(mixed.inputs ?? []), 'x1'] })
  const wanted = [...(mixed.inputs ?? []), 'x1'].map((name) => `grad:${name}`)
  const { outputs } = runInF64(reverse, weights, { ...samples[0], inputs: at(bits), outputs: [...wanted, 'x1'] })
  const loss = (p: Program, inputs: Record<string, Float32Array | Float64Array>) =>
    runInF64(p, weights, { ...samples[0], inputs, outputs: ['loss'] }).outputs.loss.reduce((a, b) => a + b)

  const differences = names.map((_, i) => centralDifference((h) => loss(mixed, at(bits.with(i, bits[i] + h)))))
  const found = names.map((name) => outputs[`grad:averageBits:${name}`][0])
  expect(relativeError(found, differences)).toBeLessThan(1e-6)

  const cut = mixed.operators.findIndex((op) => op.kind === 'add') + 1
  const later = { ...mixed, operators: mixed.operators.slice(cut), inputs: [...(mixed.inputs ?? []), 'x1'] }
  const byX1 = Array.from(outputs.x1, (x, i) =>
    centralDifference((h) => loss(later, { ...at(bits), x1: outputs.x1.with(i, x + h) })),
  )
  expect(relativeError(outputs['grad:x1'], byX1)).toBeLessThan(1e-6)
})

test('where an average is whole, its gradient is that from above, and at the most bits from below', () => {
  const name = `averageBits:${names[0]}`
  const reverse = gradientProgram(mixed, { loss: 'loss', of: [name] })
  const loss = (p: number) =>
    runInF64(mixed, weights, { ...samples[0], inputs: at([p, 4, 4]), outputs: ['loss'] }).outputs.loss.reduce((a, b) => a + b)
  for (const [p, side] of [
    [4, 1],
    [6, -1],
  ]) {
    const { outputs } = runInF64(reverse, weights, { ...samples[0], inputs: at([p, 4, 4]), outputs: [`grad:${name}`] })
    const h = side * 2 ** -12
    const slope = (4 * loss(p + h) - loss(p + 2 * h) - 3 * loss(p)) / (2 * h)
    expect(outputs[`grad:${name}`][0] / slope).toBeCloseTo(1, 6)
  }
})
