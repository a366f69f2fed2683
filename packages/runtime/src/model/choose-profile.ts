import { InvalidArgumentError } from '@dpllm/core'
import { hasTarget } from '../precision/targets.js'
import type { AdaptiveLinear } from '../profile/adaptive-linears.js'
import { checkProfile } from '../profile/check-profile.js'
import { listProfiles, type Profile, profileFiles } from '../profile/profile.js'
import { readProfile, readProfileData } from '../profile/read-profile.js'
import type { ProfileData } from '../profile/schema.js'
import type { LoadOptions } from './load-model.js'

/** What is known of a profile before its tensors are read. */
interface Candidate {
  readonly name: string
  readonly data: ProfileData
}

/**
 * The profile that a model is loaded with (`LoadOptions.profile`, `method`, `targetBits`); undefined for none.
 * @param linears of the model
 * @throws FileFormatError; InvalidArgumentError if no profile is of the method that is asked for
 */
export async function chooseProfile(
  directory: string,
  linears: ReadonlyMap<string, AdaptiveLinear>,
  options: Pick<LoadOptions, 'profile' | 'method' | 'targetBits' | 'maxBits'>,
): Promise<Profile | undefined> {
  const { profile: named, method, targetBits, maxBits } = options
  if (named === false || (named === undefined && method === 'uniform')) return undefined
  if (named !== undefined) {
    const profile = await readProfile(directory, named, linears)
    if (method !== undefined && method !== 'uniform' && method !== profile.data.method)
      throw new InvalidArgumentError('method', `${profile.data.method}, of which profile ${named} is`, method)
    return profile
  }
  const names = await listProfiles(directory)
  if (method === undefined) {
    if (names.length === 1 && maxBits === undefined) return readProfile(directory, names[0], linears)
    if (targetBits === undefined) return undefined
  }
  const candidates = await Promise.all(names.map(async (name) => ({ name, data: await readProfileData(directory, name) })))
  const fitting = candidates.filter(({ name, data }) => {
    if (method !== undefined && data.method !== method) return false
    if (targetBits === undefined) return true
    checkProfile(data, profileFiles(directory, name).json, linears)
    return hasTarget(data, targetBits, sized(linears))
  })
  const chosen = fitting.find(({ data }) => data.method === 'budget') ?? fitting[0]
  if (chosen !== undefined) return readProfile(directory, chosen.name, linears)
  if (method === undefined) return undefined
  throw new InvalidArgumentError('method', wantedMethod(candidates, targetBits), method)
}

function wantedMethod(candidates: readonly Candidate[], targetBits: number | undefined): string {
  const known = candidates.map(({ name, data }) => `${data.method} (${name})`)
  const which = targetBits === undefined ? '' : ` with target ${targetBits}`
  return `uniform, or that of a profile of the model${which}; it has ${known.join(', ') || 'none: run dpllm calibrate'}`
}

function sized(linears: ReadonlyMap<string, AdaptiveLinear>) {
  return [...linears].map(([module, { rows, cols, bits }]) => ({ module, rows, cols, minBits: Math.min(...bits) }))
}
