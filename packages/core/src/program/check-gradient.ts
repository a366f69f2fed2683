import type { GradientOperator } from './gradient-operators.js'
import type { Program } from './program.js'
import type { ShapeChecks } from './shape-checks.js'

/** Checks that the shapes of one of these operators agree: widths, and which rows its values have. */
export function checkGradientShapes(op: GradientOperator, program: Program, checks: ShapeChecks): void {
  const { width, rows, shape, same, dense, bitPlanes, tableEntries } = checks
  const like = (name: string, value: string, wanted: string) => {
    same(`width of ${name}`, width(value), width(wanted))
    same(`rows of ${name}`, rows(value), rows(wanted))
  }
  const accumulator = (name: string, wanted: readonly number[]) => {
    const into = program.accumulators?.find((a) => a.name === name)
    same(`shape of accumulator ${name}`, into && `${into.shape}`, `${wanted}`)
  }
  const averageBits = (value: string) => same('shape of averageBits', `${program.values[value].shape}`, '1')
  switch (op.kind) {
    case 'linearTransposed':
    case 'mixedLinearTransposed':
      same('width of dy', width(op.dy), shape(op.weight)[0])
      same('width of out', width(op.out), shape(op.weight)[1])
      same('rows of out', rows(op.out), rows(op.dy))
      if (op.kind === 'mixedLinearTransposed') {
        bitPlanes(op.weight)
        averageBits(op.averageBits)
      }
      break
    case 'rmsNormGradient':
      dense(op.weight)
      like('dy', op.dy, op.x)
      like('out', op.out, op.x)
      same('width of x modulo weight', width(op.x) % shape(op.weight)[1], 0)
      break
    case 'attentionGradient':
      same('heads modulo kvHeads', op.heads % op.kvHeads, 0)
      same('rows of q', rows(op.q), 'T')
      same('width of q', width(op.q), op.heads * op.headDim)
      same('rows of k', rows(op.k), 'T')
      same('width of k', width(op.k), op.kvHeads * op.headDim)
      like('v', op.v, op.k)
      like('dy', op.dy, op.q)
      like('dq', op.dq, op.q)
      like('dk', op.dk, op.k)
      like('dv', op.dv, op.v)
      break
    case 'gateGradient':
      for (const name of ['up', 'dy', 'dGate', 'dUp'] as const) like(name, op[name], op.gate)
      break
    case 'concat':
      same(
        'width of out',
        width(op.out),
        op.xs.reduce((n, name) => n + width(name), 0),
      )
      for (const name of op.xs) same(`rows of ${name}`, rows(name), rows(op.out))
      break
    case 'put':
      same('width of out', width(op.out), width(op.x))
      same('rows of x', rows(op.x), 'R')
      same('rows of out', rows(op.out), 'T')
      break
    case 'crossEntropyGradient':
      same('rows of logits', rows(op.logits), 'R')
      like('out', op.out, op.logits)
      break
    case 'klDivergence':
      same('rows of logits', rows(op.logits), 'R')
      like('teacher', op.teacher, op.logits)
      same('shape of out', `${program.values[op.out].shape}`, 'R')
      break
    case 'klDivergenceGradient':
      same('rows of logits', rows(op.logits), 'R')
      like('teacher', op.teacher, op.logits)
      like('out', op.out, op.logits)
      break
    case 'accumulate':
      accumulator(op.into, [width(op.dy), width(op.x)])
      same('rows of dy', rows(op.dy), rows(op.x))
      break
    case 'accumulateTables':
      bitPlanes(op.weight)
      same('width of x', width(op.x), shape(op.weight)[1])
      same('width of dy', width(op.dy), shape(op.weight)[0])
      same('rows of dy', rows(op.dy), rows(op.x))
      accumulator(op.into, [shape(op.weight)[0], tableEntries(op.weight)])
      break
    case 'mixedLinear':
      bitPlanes(op.weight)
      same('width of x', width(op.x), shape(op.weight)[1])
      same('width of out', width(op.out), shape(op.weight)[0])
      same('rows of out', rows(op.out), rows(op.x))
      averageBits(op.averageBits)
      if (op.bias !== undefined) {
        dense(op.bias)
        same('length of bias', shape(op.bias)[1], shape(op.weight)[0])
      }
      break
    case 'bitsGradient':
      bitPlanes(op.weight)
      same('width of x', width(op.x), shape(op.weight)[1])
      same('width of dy', width(op.dy), shape(op.weight)[0])
      same('rows of dy', rows(op.dy), rows(op.x))
      averageBits(op.averageBits)
      same('shape of out', `${program.values[op.out].shape}`, '1')
      break
    case 'tokenErrors':
      bitPlanes(op.weight, op.low, op.high)
      same('width of x', width(op.x), shape(op.weight)[1])
      same('width of dy', width(op.dy), shape(op.weight)[0])
      same('rows of dy', rows(op.dy), rows(op.x))
      same('rows of out', rows(op.out), rows(op.x))
      same('width of out', width(op.out), 1)
      break
  }
}
