import type { Operator } from '../program/operators.js'
import type { Program, ValueInfo } from '../program/program.js'
import { averageBitsName } from './names.js'

/**
 * A quantized model's program for the search for average precisions (DP-LLM §4): every linear whose bits a select decides
 * reads an average of p bits instead (`MixedLinear`). p is the input `averageBits:WEIGHT` f32[1], whose gradient a gradient
 * program gives as that of any value.
 */
export function mixedProgram(program: Program): Program {
  const values: Record<string, ValueInfo> = { ...program.values }
  const inputs = new Set(program.inputs)
  const operators: Operator[] = []
  for (const op of program.operators) {
    if (op.kind === 'select') {
      delete values[op.bits]
      delete values[op.estimate]
    } else if (op.kind === 'linear' && op.bits !== undefined) {
      const { bits: _, ...linear } = op
      const averageBits = averageBitsName(op.weight)
      values[averageBits] = { dtype: 'f32', shape: [1] }
      inputs.add(averageBits)
      operators.push({ ...linear, kind: 'mixedLinear', averageBits })
    } else {
      operators.push(op)
    }
  }
  return { ...program, values, operators, inputs: [...inputs] }
}
