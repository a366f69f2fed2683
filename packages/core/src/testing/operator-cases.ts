import type { OperatorCase } from './case-builder.js'
import { attentionCases } from './cases/attention.js'
import { elementwiseCases } from './cases/elementwise.js'
import { gradientCases } from './cases/gradient.js'
import { linearCases } from './cases/linear.js'
import { selectCases } from './cases/select.js'

/** Every case; made anew at each call, the same each time. */
export function operatorCases(): OperatorCase[] {
  return [...elementwiseCases(), ...attentionCases(), ...linearCases(), ...selectCases(), ...gradientCases()]
}
