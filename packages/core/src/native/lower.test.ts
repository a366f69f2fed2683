import { expect, test } from 'vitest'
import { InvalidArgumentError } from '../errors.js'
import type { Operator } from '../program/operators.js'
import type { Program, ValueInfo } from '../program/program.js'
import { testProgram } from '../testing/test-program.js'
import { NONE } from './description.js'
import { lowerProgram } from './lower.js'
import { makePlan } from './plan.js'

test('a chain of values lives in two slots, as wide as the widest', () => {
  const values: Record<string, ValueInfo> = { tokens: { dtype: 'u32', shape: ['T'] } }
  const operators: Operator[] = [{ kind: 'embed', tokens: 'tokens', table: 't', out: 'v0' }]
  for (let i = 0; i < 9; i++) values[`v${i}`] = { dtype: 'f32', shape: ['T', 4] }
  for (let i = 1; i < 9; i++) operators.push({ kind: 'add', a: `v${i - 1}`, b: `v${i - 1}`, out: `v${i}` })
  const program: Program = { values, operators, caches: [] }
  const index = new Map(Object.keys(values).map((name, i) => [name, i]))
  const plan = makePlan(program, index, ['v8'])
  expect(plan.slots).toEqual([
    { axis: 1, rowBytes: 16 },
    { axis: 1, rowBytes: 16 },
  ])
  expect([...plan.slotOf]).toEqual([-1, 0, 1, 0, 1, 0, 1, 0, 1, -1])
})

test('values that live at the same time never share a slot', () => {
  const { program, weights } = testProgram()
  const { valueIndex } = lowerProgram(program, weights)
  for (const outputs of [['logits'], ['loss'], ['q', 'sum'], []]) {
    const plan = makePlan(program, valueIndex, outputs)
    const names = [...valueIndex.keys()]
    const holder = new Map<number, string>()
    for (const index of plan.operators) {
      const op = program.operators[index]
      const text = Object.entries(op)
      for (const [field, name] of text) {
        const slot = typeof name === 'string' ? plan.slotOf[valueIndex.get(name) ?? -1] : undefined
        if (slot === undefined || slot < 0 || field === 'out' || field === 'kind') continue
        expect(names[valueIndex.get(name)!], `${op.kind} reads ${name}`).toBe(holder.get(slot))
      }
      if ('out' in op && plan.slotOf[valueIndex.get(op.out)!] >= 0) holder.set(plan.slotOf[valueIndex.get(op.out)!], op.out)
    }
  }
})

test('values whose rows or types do not fit their operators are refused', () => {
  const { program, weights } = testProgram()
  const change = (name: string, info: ValueInfo): Program => ({ ...program, values: { ...program.values, [name]: info } })
  expect(() => lowerProgram(program, weights)).not.toThrow()
  expect(() => lowerProgram(change('norm', { dtype: 'f32', shape: ['R', 64] }), weights)).toThrow(/rmsNorm.*rows of norm/)
  expect(() => lowerProgram(change('logits', { dtype: 'f32', shape: ['T', 50] }), weights)).toThrow(InvalidArgumentError)
  expect(() => lowerProgram(change('bits', { dtype: 'f32', shape: ['T'] }), weights)).toThrow(/dtype u8/)
  expect(() => lowerProgram(program, new Map([...weights].filter(([name]) => name !== 'wk')))).toThrow(/wk/)
})

test('names become numbers, weights stay the arrays they are', () => {
  const { program, weights } = testProgram()
  const { description, valueIndex, weightIndex, selects } = lowerProgram(program, weights)
  expect(description.values).toHaveLength(Object.keys(program.values).length)
  expect(description.operators[0]).toEqual({
    kind: 'embed',
    tokens: valueIndex.get('tokens'),
    table: weightIndex.get('embedding'),
    out: valueIndex.get('x'),
  })
  expect(selects).toEqual(['wq'])
  const wq = description.weights[weightIndex.get('wq')!]
  expect('planes' in wq && wq.planes).toBe((weights.get('wq') as { planes: Uint32Array }).planes)
})

test('only what the outputs need is run, and outputs have memory of their own', () => {
  const { program, weights } = testProgram()
  const { valueIndex } = lowerProgram(program, weights)
  const { operators, slotOf, outputs } = makePlan(program, valueIndex, ['logits'])
  expect(operators).toHaveLength(program.operators.length - 1) // no loss
  expect([...outputs]).toEqual([valueIndex.get('logits')])
  expect(slotOf[valueIndex.get('logits')!]).toBe(NONE)
})

test('an input that is wanted back is not filled', () => {
  const given: Program = { values: { x: { dtype: 'f32', shape: ['T', 4] } }, operators: [], caches: [], inputs: ['x'] }
  const { valueIndex, description } = lowerProgram(given, new Map())
  expect([...description.inputs]).toEqual([0])
  expect([...makePlan(given, valueIndex, ['x']).outputs]).toEqual([])
})
