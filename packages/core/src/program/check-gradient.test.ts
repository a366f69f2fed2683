import { expect, test } from 'vitest'
import { randomBitPlanes } from '../testing/index.js'
import { checkProgram } from './check.js'
import type { GradientOperator } from './gradient-operators.js'
import type { Operator } from './operators.js'
import type { Accumulator, Dimension, Program, ValueInfo } from './program.js'
import { neededOperators } from './prune.js'
import type { Weight } from './weights.js'

const shapes: Record<string, readonly Dimension[]> = {
  x4: ['T', 4],
  y4: ['T', 4],
  z4: ['T', 4],
  w4: ['T', 4],
  x6: ['T', 6],
  y6: ['T', 6],
  r4: ['R', 4],
  s4: ['R', 4],
  x10: ['T', 10],
  r: ['R'],
  e: ['T'],
  p: [1],
  q: [1],
}
const values: Record<string, ValueInfo> = {
  rows: { dtype: 'u32', shape: ['R'] },
  targets: { dtype: 'u32', shape: ['R'] },
  ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'f32', shape }])),
}
const dense = (...shape: number[]): Weight => ({ dtype: 'f32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
const weights = new Map<string, Weight>([
  ['w', dense(6, 4)],
  ['n', dense(4)],
  ['planes', randomBitPlanes(1, 6, 4)],
])
const accumulators: readonly Accumulator[] = [
  { name: 'sum', shape: [6, 4] },
  { name: 'tables', shape: [6, 2 ** 9 - 2 ** 3] },
]

/** Everything that the operator does not write is an input. */
function check(op: GradientOperator, written: readonly string[]): () => void {
  const inputs = Object.keys(shapes).filter((name) => !written.includes(name))
  return () => checkProgram({ values, operators: [op], caches: [], inputs, accumulators }, weights)
}

const attention: GradientOperator = {
  kind: 'attentionGradient',
  q: 'x4',
  k: 'x4',
  v: 'x4',
  dy: 'x4',
  heads: 2,
  kvHeads: 2,
  headDim: 2,
  scale: 1,
  dq: 'y4',
  dk: 'z4',
  dv: 'w4',
}
const mixed: GradientOperator = { kind: 'mixedLinear', x: 'x4', weight: 'planes', averageBits: 'p', out: 'y6' }
const gate: GradientOperator = {
  kind: 'gateGradient',
  gate: 'x4',
  up: 'x4',
  dy: 'x4',
  activation: 'silu',
  dGate: 'y4',
  dUp: 'z4',
}
const norm: GradientOperator = { kind: 'rmsNormGradient', x: 'x4', dy: 'x4', weight: 'n', eps: 0, out: 'y4' }
const errors: GradientOperator = { kind: 'tokenErrors', x: 'x4', dy: 'x6', weight: 'planes', low: 3, high: 5, out: 'e' }
const bits: GradientOperator = { kind: 'bitsGradient', x: 'x4', dy: 'x6', weight: 'planes', averageBits: 'p', out: 'q' }

test.each<[GradientOperator, written: string[], changes: [change: object, message: RegExp][]]>([
  [
    { kind: 'linearTransposed', dy: 'x6', weight: 'w', out: 'y4' },
    ['y4', 'y6', 's4'],
    [
      [{ dy: 'x4' }, /width of dy: expected 6, found 4/],
      [{ out: 'y6' }, /width of out: expected 4/],
      [{ out: 's4' }, /rows of out: expected T/],
      [{ weight: 'v' }, /weight v/],
    ],
  ],
  [
    norm,
    ['y4', 's4'],
    [
      [{ dy: 'x6' }, /width of dy/],
      [{ dy: 'r4' }, /rows of dy/],
      [{ out: 's4' }, /rows of out/],
      [{ weight: 'planes' }, /a dense weight/],
    ],
  ],
  [
    attention,
    ['y4', 'z4', 'w4', 'y6', 's4'],
    [
      [{ dy: 'x6' }, /width of dy/],
      [{ heads: 3 }, /heads modulo kvHeads/],
      [{ q: 'r4' }, /rows of q: expected T/],
      [{ kvHeads: 1 }, /width of k/],
      [{ dk: 'y6' }, /width of dk/],
      [{ dv: 's4' }, /rows of dv/],
    ],
  ],
  [
    gate,
    ['y4', 'z4', 'y6', 's4'],
    [
      [{ dUp: 'y6' }, /width of dUp/],
      [{ dGate: 's4' }, /rows of dGate/],
      [{ dy: 'x6' }, /width of dy/],
    ],
  ],
  [
    { kind: 'concat', xs: ['x4', 'x6'], out: 'x10' },
    ['x10', 's4'],
    [
      [{ xs: ['x4'] }, /width of out: expected 4, found 10/],
      [{ xs: ['r4', 'x6'] }, /rows of r4: expected T/],
    ],
  ],
  [
    { kind: 'put', x: 'r4', rows: 'rows', out: 'y4' },
    ['y4', 's4', 'y6'],
    [
      [{ x: 'x4' }, /rows of x: expected R/],
      [{ out: 's4' }, /rows of out: expected T/],
      [{ out: 'y6' }, /width of out/],
    ],
  ],
  [
    { kind: 'crossEntropyGradient', logits: 'r4', targets: 'targets', scale: 1, out: 's4' },
    ['s4', 'y4'],
    [
      [{ logits: 'x4' }, /rows of logits: expected R/],
      [{ out: 'y4' }, /rows of out/],
    ],
  ],
  [
    { kind: 'klDivergence', logits: 'r4', teacher: 'r4', out: 'r' },
    ['r', 's4', 'y4'],
    [
      [{ logits: 'x4' }, /rows of logits: expected R/],
      [{ teacher: 'x4' }, /rows of teacher/],
      [{ teacher: 'x6' }, /width of teacher: expected 4, found 6/],
      [{ out: 's4' }, /shape of out: expected R, found "R,4"/],
    ],
  ],
  [
    { kind: 'klDivergenceGradient', logits: 'r4', teacher: 'r4', scale: 1, out: 's4' },
    ['s4', 'y4', 'y6'],
    [
      [{ logits: 'x4' }, /rows of logits: expected R/],
      [{ teacher: 'x4' }, /rows of teacher/],
      [{ out: 'y4' }, /rows of out/],
      [{ out: 'y6' }, /width of out/],
    ],
  ],
  [
    { kind: 'accumulateTables', x: 'x4', dy: 'x6', weight: 'planes', into: 'tables' },
    [],
    [
      [{ into: 'sum' }, /accumulator sum: expected 6,504, found "6,4"/],
      [{ into: 'nothing' }, /accumulator nothing: expected 6,504, found undefined/],
      [{ weight: 'w' }, /expected bit-planes/],
      [{ x: 'x6' }, /width of x/],
      [{ dy: 'x4' }, /width of dy/],
      [{ x: 'r4' }, /rows of dy: expected R/],
      [{ bits: 'nothing' }, /written before they are read/],
    ],
  ],
  [
    { kind: 'accumulate', x: 'x4', dy: 'x6', mode: 'sum', into: 'sum' },
    [],
    [
      [{ into: 'squares' }, /accumulator squares: expected 6,4, found undefined/],
      [{ x: 'x6' }, /accumulator sum: expected 6,6, found "6,4"/],
      [{ x: 'r4' }, /rows of dy: expected R/],
    ],
  ],
  [
    mixed,
    ['y6', 'y4'],
    [
      [{ weight: 'w' }, /expected bit-planes/],
      [{ x: 'x6' }, /width of x/],
      [{ out: 'y4' }, /width of out/],
      [{ averageBits: 'x4' }, /averageBits: expected 1, found "T,4"/],
      [{ bias: 'n' }, /length of bias/],
    ],
  ],
  [
    { kind: 'mixedLinearTransposed', dy: 'x6', weight: 'planes', averageBits: 'p', out: 'y4' },
    ['y4'],
    [
      [{ weight: 'w' }, /expected bit-planes/],
      [{ averageBits: 'r4' }, /averageBits/],
      [{ dy: 'x4' }, /width of dy/],
    ],
  ],
  [
    bits,
    ['q', 'y4'],
    [
      [{ dy: 'x4' }, /width of dy/],
      [{ x: 'r4' }, /rows of dy/],
      [{ out: 'y4' }, /shape of out: expected 1/],
      [{ weight: 'w' }, /expected bit-planes/],
    ],
  ],
  [
    errors,
    ['e', 'y4', 'r'],
    [
      [{ dy: 'x4' }, /width of dy/],
      [{ x: 'r4' }, /rows of dy/],
      [{ out: 'y4' }, /width of out: expected 1/],
      [{ out: 'r' }, /rows of out: expected T/],
      [{ weight: 'w' }, /expected bit-planes/],
      [{ low: 2 }, /bits of planes: expected an integer from 3 to 8, found 2/],
      [{ high: 3.5 }, /found 3.5/],
    ],
  ],
])('what does not fit $kind is named', (op, written, changes) => {
  expect(check(op, written)).not.toThrow()
  for (const [change, message] of changes)
    expect(check({ ...op, ...change } as GradientOperator, written), JSON.stringify(change)).toThrow(message)
})

test('inputs are declared f32 values; accumulators have names of their own and a size', () => {
  const program: Program = { values, operators: [], caches: [] }
  expect(() => checkProgram({ ...program, inputs: ['nothing'] }, weights)).toThrow(/input nothing/)
  expect(() => checkProgram({ ...program, inputs: ['rows'] }, weights)).toThrow(/input rows.*f32.*"u32"/)
  expect(() => checkProgram({ ...program, accumulators: [...accumulators, ...accumulators] }, weights)).toThrow(
    /names that differ/,
  )
  expect(() => checkProgram({ ...program, accumulators: [{ name: 'a', shape: [0, 4] }] }, weights)).toThrow(/accumulator a/)
  expect(() => checkProgram({ ...program, accumulators: [{ name: 'a', shape: [2.5, 4] }] }, weights)).toThrow(/positive integers/)
})

test('what accumulates is kept even when nothing reads a result', () => {
  const operators: Operator[] = [
    { kind: 'add', a: 'x4', b: 'x4', out: 'y4' },
    { kind: 'add', a: 'x4', b: 'x4', out: 'z4' },
    { kind: 'accumulate', x: 'y4', dy: 'x6', mode: 'sum', into: 'sum' },
    { kind: 'accumulateTables', x: 'z4', dy: 'x6', weight: 'planes', into: 'tables' },
  ]
  const program: Program = { values, operators, caches: [], inputs: ['x4', 'x6'], accumulators }
  expect(neededOperators(program, [])).toEqual([0, 1, 2, 3])
  expect(neededOperators({ ...program, operators: operators.slice(0, 3) }, [])).toEqual([0, 2])
})
