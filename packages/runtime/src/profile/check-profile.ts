import { FileFormatError } from '@dpllm/core'
import type { AdaptiveLinear } from './adaptive-linears.js'
import { checkFixed } from './check-fixed.js'
import { checkThreshold } from './check-threshold.js'
import type { BudgetPolicyData, ProfileData, StaticPolicyData } from './schema.js'

/** What a linear may be read at under a profile, and how to refuse one. */
export interface LinearCheck {
  readonly module: string
  readonly linear: AdaptiveLinear
  readonly least: number
  readonly most: number
  readonly fail: (message: string) => FileFormatError
}

/**
 * Checks that a profile is one of this model: that it decides for every linear, at every target, within the bits that the
 * model has and the profile's budget.
 * @param file for messages
 * @param linears by module
 * @throws FileFormatError naming the module
 */
export function checkProfile(data: ProfileData, file: string, linears: ReadonlyMap<string, AdaptiveLinear>): void {
  const { maxBits, policy } = data
  const refuse = (item: string, message: string) => new FileFormatError(file, message, { item })
  const modules = [...Object.keys(maxBits), ...namedModules(policy)]
  for (const module of modules) {
    if (!linears.has(module)) throw refuse(module, 'is no linear of this model that can be read at several bit counts')
  }
  const checks = [...linears].map(([module, linear]): LinearCheck => {
    const least = Math.min(...linear.bits)
    const most = Math.min(Math.max(...linear.bits), maxBits[module] ?? Number.POSITIVE_INFINITY)
    const fail = (message: string) => refuse(module, message)
    if (most < least) throw fail(`expected at least ${least} bits in maxBits, found ${most}`)
    return { module, linear, least, most, fail }
  })
  if (policy.kind === 'static') checkStatic(policy, checks)
  else if (policy.kind === 'threshold') checkThreshold(policy, checks)
  else if (policy.kind === 'budget') checkBudget(policy, checks)
  else checkFixed(policy, checks)
}

/** Modules in a policy's lists of linears; no module twice. */
function namedModules(policy: ProfileData['policy']): string[] {
  if (policy.kind === 'threshold') return policy.estimators.linears.map(({ name }) => name)
  return policy.kind === 'budget' ? policy.linears.map(({ name }) => name) : []
}

function checkStatic({ allocations }: StaticPolicyData, checks: readonly LinearCheck[]): void {
  for (const { targetBits, bits } of allocations) {
    for (const { module, least, most, fail } of checks) {
      const found = bits[module]
      if (!(found >= least && found <= most))
        throw fail(`expected ${least} to ${most} bits at target ${targetBits}, found ${found}`)
    }
  }
}

function checkBudget({ linears }: BudgetPolicyData, checks: readonly LinearCheck[]): void {
  const byName = new Map(linears.map((linear) => [linear.name, linear]))
  for (const { module, least, most, fail } of checks) {
    const found = byName.get(module)
    if (found === undefined) throw fail('expected a table of errors, found none')
    const highest = found.minBits + found.errors.length - 1
    if (found.minBits < least || highest > most)
      throw fail(`expected errors of ${least} to ${most} bits, found them of ${found.minBits} to ${highest}`)
  }
  if (byName.size !== linears.length) throw checks[0].fail('expected every linear once')
}
