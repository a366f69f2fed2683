import { expect, test } from 'vitest'
import { operatorCases, randomBitPlanes } from '../testing/index.js'
import { checkProgram } from './check.js'
import type { Operator } from './operators.js'
import type { Program } from './program.js'
import { lastReads, neededOperators } from './prune.js'
import type { Weight } from './weights.js'

const values: Program['values'] = {
  tokens: { dtype: 'u32', shape: ['T'] },
  rows: { dtype: 'u32', shape: ['R'] },
  x: { dtype: 'f32', shape: ['T', 4] },
  y: { dtype: 'f32', shape: ['T', 4] },
  z: { dtype: 'f32', shape: ['T', 3] },
}
const operators: Operator[] = [
  { kind: 'embed', tokens: 'tokens', table: 'table', out: 'x' },
  { kind: 'add', a: 'x', b: 'x', out: 'y' },
  { kind: 'linear', x: 'x', weight: 'w', out: 'z' },
]
const dense = (...shape: number[]): Weight => ({ dtype: 'f32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
const weights = new Map([
  ['table', dense(9, 4)],
  ['w', dense(3, 4)],
])

test('all operator cases are well formed', () => {
  for (const c of operatorCases()) expect(() => checkProgram(c.program, c.weights), c.name).not.toThrow()
})

test('what does not fit is named', () => {
  const check =
    (ops: Operator[], w: Map<string, Weight> = weights) =>
    () =>
      checkProgram({ values, operators: ops, caches: [] }, w)
  expect(check(operators)).not.toThrow()
  expect(check(operators.slice(1))).toThrow(/add.*written before.*"x"/)
  expect(check([...operators, operators[1]])).toThrow(/written once/)
  expect(check([operators[0], { kind: 'linear', x: 'x', weight: 'w', out: 'y' }])).toThrow(/width of out.*3.*4/)
  expect(check(operators, new Map([['table', dense(9, 4)]]))).toThrow(/weight w/)
  expect(check(operators, new Map([...weights, ['w', { ...dense(3, 4), shape: [3, 5] } as Weight]]))).toThrow(/15 elements/)
  expect(check([operators[0], { kind: 'select', x: 'x', weight: 'w', bits: 'y', estimate: 'z' }])).toThrow(/bit-planes/)
})

test('a select may read a value of another width than its weight', () => {
  const planes = new Map<string, Weight>([...weights, ['w', randomBitPlanes(1, 3, 40)]])
  const select: Operator = { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' }
  const declared = { ...values, bits: { dtype: 'u8', shape: ['T'] }, e: { dtype: 'f32', shape: ['T'] } } as const
  expect(() => checkProgram({ values: declared, operators: [operators[0], select], caches: [] }, planes)).not.toThrow()
})

test('only what the outputs need is kept, and attention always', () => {
  const program: Program = { values, operators, caches: [] }
  expect(neededOperators(program, ['z'])).toEqual([0, 2])
  expect(neededOperators(program, ['y'])).toEqual([0, 1])
  expect(neededOperators(program, [])).toEqual([])
  expect(() => neededOperators(program, ['nothing'])).toThrow(/names of the program/)
  expect(lastReads(program, [0, 1, 2], ['y'])).toEqual(
    new Map([
      ['tokens', 0],
      ['x', 2],
      ['y', 3],
    ]),
  )
  const attention: Operator = {
    kind: 'attention',
    q: 'x',
    k: 'x',
    v: 'x',
    layer: 0,
    heads: 1,
    kvHeads: 1,
    headDim: 4,
    scale: 1,
    out: 'y',
  }
  expect(neededOperators({ values, operators: [operators[0], attention, operators[2]], caches: [{ width: 4 }] }, [])).toEqual([
    0, 1,
  ])
})
