import { FileFormatError } from '@dpllm/core'
import type { AdaptiveLinear } from './adaptive-linears.js'
import type { ProfileData } from './schema.js'

/**
 * Checks that a profile is one of this model: at every target a possible decision for every linear, within the budget.
 * @param file for messages
 * @param linears by module
 * @throws FileFormatError naming the module
 */
export function checkProfile(data: ProfileData, file: string, linears: ReadonlyMap<string, AdaptiveLinear>): void {
  const fail = (item: string, message: string) => new FileFormatError(file, message, { item })
  for (const module of Object.keys(data.maxBits)) {
    if (!linears.has(module)) throw fail(module, 'is no linear of this model that can be read at several bit counts')
  }
  for (const { targetBits, linears: decisions } of data.targets) {
    for (const [module, { bits }] of linears) {
      const decision = decisions[module]
      if (decision === undefined) throw fail(module, `expected a decision at target ${targetBits}, found none`)
      const { low, high, threshold } = decision
      const least = Math.min(...bits)
      const most = Math.min(Math.max(...bits), data.maxBits[module] ?? Number.POSITIVE_INFINITY)
      if (low < least || low > high || high > most) {
        throw fail(module, `expected ${least} <= low <= high <= ${most} at target ${targetBits}, found low ${low}, high ${high}`)
      }
      if ((low === high) !== (threshold === null))
        throw fail(module, `expected a threshold where low and high differ and nowhere else, found ${threshold}`)
    }
  }
}
