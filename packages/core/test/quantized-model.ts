import type { Operator } from '../src/program/operators.js'
import type { Program, ValueInfo } from '../src/program/program.js'
import { matrixShape } from '../src/program/weights.js'
import { createRandom } from '../src/random.js'
import { randomBitPlanes, randomTensor } from '../src/testing/index.js'
import { gradientModel } from './gradient-model.js'

/** The model of `gradientModel` with bit-planes of 3 to 6 bits, biases and selects in its second block. */
export function quantizedModel() {
  const { program, weights } = gradientModel()
  const values: Record<string, ValueInfo> = { ...program.values }
  const names: string[] = []
  const operators = program.operators.flatMap((op): Operator[] => {
    if (op.kind !== 'linear' || !op.weight.endsWith('1')) return [op]
    const [bits, estimate] = [`${op.weight}.bits`, `${op.weight}.estimate`]
    values[bits] = { dtype: 'u8', shape: ['T'] }
    values[estimate] = { dtype: 'f32', shape: ['T'] }
    const [rows, cols] = matrixShape(weights.get(op.weight)!)
    weights.set(op.weight, randomBitPlanes(names.length, rows, cols, 3, 6))
    const bias = `${op.weight}.bias`
    weights.set(bias, randomTensor(createRandom(names.length), [rows]))
    names.push(op.weight)
    return [
      { kind: 'select', x: op.x, weight: op.weight, bits, estimate },
      { ...op, bias, bits },
    ]
  })
  return { program: { ...program, values, operators } satisfies Program, weights, names }
}
