import type { LinearCheck } from './check-profile.js'
import type { ThresholdPolicyData } from './schema.js'

/**
 * Checks the pairs of a `threshold` policy against the model: one entry for each linear, estimators as wide as what the
 * select reads, and pairs without gaps, so that every average between their ends belongs to one.
 * @throws FileFormatError naming the module
 */
export function checkThreshold(policy: ThresholdPolicyData, checks: readonly LinearCheck[]): void {
  const { selectInputs, targets, estimators } = policy
  const byName = new Map(estimators.linears.map((linear) => [linear.name, linear]))
  for (const { module, linear, least, most, fail } of checks) {
    const found = byName.get(module)
    if (found === undefined) throw fail('expected estimators, found none')
    const width = selectInputs === 'residual' ? linear.residualWidth : linear.cols
    if (found.cols !== width) throw fail(`expected estimators of ${width} inputs, found ${found.cols}`)
    const { pairs } = found
    if (pairs.length === 0 && least !== most) throw fail(`expected estimators for ${least} to ${most} bits, found none`)
    pairs.forEach(({ low, high, estimator }, i) => {
      if (low < least || low >= high || high > most)
        throw fail(`expected pairs within ${least} to ${most} bits, found ${low}|${high}`)
      if (i > 0 && low !== pairs[i - 1].high)
        throw fail(`expected a pair from ${pairs[i - 1].high} bits on, found ${low}|${high}`)
      if (estimator.kind === 'exact' && width !== linear.cols)
        throw fail(`expected no exact estimator where selects read ${width} of the residual`)
    })
    for (const { targetBits, averageBits } of targets) {
      if (averageBits[module] === undefined) throw fail(`expected averageBits at target ${targetBits}, found none`)
    }
  }
  if (byName.size !== estimators.linears.length) throw checks[0].fail('expected every linear once')
}
