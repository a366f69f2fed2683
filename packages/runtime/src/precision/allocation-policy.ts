import { InvalidArgumentError, type Policy, staticPolicy } from '@dpllm/core'
import { checkLoaded, type LinearInfo } from '../model/linears.js'
import type { Profile } from '../profile/profile.js'
import type { StaticPolicyData } from '../profile/schema.js'
import { ROUNDING } from './targets.js'

/**
 * The policy of a profile of kind `static`: the allocation with the largest target that is not above the request.
 * @param linears the linears of the program's select operators, in order
 * @throws InvalidArgumentError for a target below all allocations, or that reads more bits than are loaded
 */
export function allocationPolicy(
  profile: Profile,
  { allocations }: StaticPolicyData,
  targetBits: number,
  linears: readonly LinearInfo[],
): Policy {
  const found = allocations.findLast((allocation) => allocation.targetBits <= targetBits + ROUNDING)
  if (found === undefined) {
    const wanted = `at least ${allocations[0].targetBits}, the least target of profile ${profile.name}`
    throw new InvalidArgumentError('targetBits', wanted, targetBits)
  }
  return staticPolicy(
    linears.map((linear) => {
      const bits = found.bits[linear.module]
      if (bits === undefined) throw new InvalidArgumentError(`profile ${profile.name}`, `bits of ${linear.module}`, undefined)
      checkLoaded(linear, bits, bits, targetBits)
      return bits
    }),
  )
}
