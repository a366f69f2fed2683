import type { LinearCheck } from './check-profile.js'
import type { FixedPolicyData } from './schema.js'

/** Checks the decisions of a `fixed` policy against the model. @throws FileFormatError naming the module */
export function checkFixed({ targets, selectInputs, estimator: usual }: FixedPolicyData, checks: readonly LinearCheck[]): void {
  for (const { targetBits, linears } of targets) {
    for (const { module, linear, least, most, fail } of checks) {
      const decision = linears[module]
      if (decision === undefined) throw fail(`expected a decision at target ${targetBits}, found none`)
      const { low, high, threshold, estimator } = decision
      if (low < least || low > high || high > most) {
        throw fail(`expected ${least} <= low <= high <= ${most} at target ${targetBits}, found low ${low}, high ${high}`)
      }
      if ((low === high) !== (threshold === null))
        throw fail(`expected a threshold where low and high differ and nowhere else, found ${threshold}`)
      if (
        low < high &&
        (estimator?.kind ?? usual) === 'exact' &&
        selectInputs === 'residual' &&
        linear.cols !== linear.residualWidth
      )
        throw fail(`expected no exact estimator where selects read ${linear.residualWidth} of the residual`)
    }
  }
}
