import type { Program } from '@dpllm/core'
import { expect, test } from 'vitest'
import { lowerProgram } from '../src/lower.js'
import { NONE } from '../src/native-types.js'
import { makePlan } from '../src/plan.js'
import { testProgram } from './test-program.js'

const { program, weights } = testProgram()

test('names become numbers, weights stay the arrays they are', () => {
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

test('values whose lives do not overlap share memory; outputs have their own', () => {
  const { valueIndex } = lowerProgram(program, weights)
  const { operators, slotOf, slots, outputs } = makePlan(program, valueIndex, ['logits'])
  expect(operators).toHaveLength(program.operators.length - 1) // no loss
  expect([...outputs]).toEqual([valueIndex.get('logits')])
  expect(slotOf[valueIndex.get('logits')!]).toBe(NONE)
  expect(slots.length).toBeLessThan(8)
  const slot = (name: string) => slotOf[valueIndex.get(name)!]
  expect(new Set(['x', 'norm', 'q', 'k', 'v'].map(slot)).size).toBe(5)
})

test('an input that is wanted back is not copied', () => {
  const given: Program = { values: { x: { dtype: 'f32', shape: ['T', 4] } }, operators: [], caches: [], inputs: ['x'] }
  const { valueIndex, description } = lowerProgram(given, new Map())
  expect([...description.inputs]).toEqual([0])
  expect([...makePlan(given, valueIndex, ['x']).outputs]).toEqual([])
})
