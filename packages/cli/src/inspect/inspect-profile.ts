import { profileTargets, readProfile } from '@dpllm/runtime'
import { adaptiveLinears, type ModelInspection } from './inspect-model.js'
import { type ProfileDecisions, profileDecisions } from './linear-decisions.js'

/**
 * Looks at what a profile decides at a target.
 * @param model whose folder holds the profile
 * @param targetBits default the middle one of those that the profile was calibrated for
 * @throws FileFormatError, InvalidArgumentError for a profile or a target that there is not
 */
export async function inspectProfile(model: ModelInspection, name: string, targetBits?: number): Promise<ProfileDecisions> {
  const linears = model.matrices
    .filter(({ adaptive }) => adaptive)
    .map(({ module, shape: [rows, cols], bits }) => [module, { rows, cols, bits, residualWidth: model.hiddenSize }] as const)
  const profile = await readProfile(model.directory, name, new Map(linears))
  const targets = profileTargets(profile.data)
  const target = targetBits ?? targets[Math.floor((targets.length - 1) / 2)].targetBits
  return profileDecisions(profile, target, adaptiveLinears(model.matrices, profile.data.maxBits))
}
