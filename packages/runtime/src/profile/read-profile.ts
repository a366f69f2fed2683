import { FileFormatError, InvalidArgumentError, isJsonObject, type Tensor, UnsupportedError } from '@dpllm/core'
import { openSafetensors, readJson } from '@dpllm/core/node'
import { deserializeEstimators } from '@dpllm/estimators'
import type { AdaptiveLinear } from './adaptive-linears.js'
import { checkProfile } from './check-profile.js'
import { fromFormat1, profileSchema1 } from './format-1.js'
import { neededTensors, readNeededTensor } from './needed-tensors.js'
import { listProfiles, type Profile, profileFiles } from './profile.js'
import { type ProfileData, profileSchema } from './schema.js'

/**
 * Reads what a profile decides, without its tensors; that of format 1 as format 2.
 * @throws FileFormatError, InvalidArgumentError if there is no profile of this name, UnsupportedError for a newer format
 */
export async function readProfileData(directory: string, name: string): Promise<ProfileData> {
  const known = await listProfiles(directory)
  if (!known.includes(name))
    throw new InvalidArgumentError('profile', `one of ${known.join(', ') || '(none: run dpllm calibrate)'}`, name)
  const file = profileFiles(directory, name).json
  return parseProfileData(await readJson(file), file)
}

/** @param file for messages */
export function parseProfileData(json: unknown, file: string): ProfileData {
  const format = isJsonObject(json) ? json.format : undefined
  if (typeof format === 'number' && Number.isInteger(format) && format > 2)
    throw new UnsupportedError(`${file}: has format ${format}, this version reads 1 and 2; upgrade it`)
  const isOld = format === 1
  const parsed = (isOld ? profileSchema1.transform(fromFormat1) : profileSchema).safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new FileFormatError(file, issue.message, { item: issue.path.join('.') })
}

/**
 * Reads a profile.
 * @param linears of the model that it is for, by module: checked if given
 * @throws FileFormatError naming file and module or tensor, InvalidArgumentError if there is no profile of this name,
 * UnsupportedError for a newer format
 */
export async function readProfile(
  directory: string,
  name: string,
  linears?: ReadonlyMap<string, AdaptiveLinear>,
): Promise<Profile> {
  const files = profileFiles(directory, name)
  const data = await readProfileData(directory, name)
  if (linears !== undefined) checkProfile(data, files.json, linears)
  const needed = new Map(neededTensors(data.policy, linears).map((tensor) => [tensor.name, tensor]))
  const tensors = new Map<string, Tensor<'f32'>>()
  if (needed.size > 0) {
    await using file = await openSafetensors(files.tensors)
    for (const tensor of needed.values()) tensors.set(tensor.name, await readNeededTensor(file, tensor))
  }
  // Whatever it refuses is refused here, with the file's name, and not when a request comes.
  if (data.policy.kind === 'threshold') deserializeEstimators(data.policy.estimators, tensors, files.json)
  return { name, data, tensors }
}
