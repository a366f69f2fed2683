import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError, type Tensor, toFloat16, toFloat32 } from '@dpllm/core'
import { openSafetensors, readJson, writeError, writeFileAtomic, writeSafetensors } from '@dpllm/core/node'
import { type ProfileData, profileSchema } from './schema.js'

/** An adaptation profile: its JSON and the matrices of its estimators by `projectionName`. */
export interface Profile {
  readonly name: string
  readonly data: ProfileData
  /** f32 [k, cols] */
  readonly projections: ReadonlyMap<string, Tensor<'f32'>>
}

/** Key of the matrix that estimates ‖(W_high − W_low) x‖ of a module. */
export function projectionName(module: string, low: number, high: number): string {
  return `${module}.${low}-${high}.projection`
}

/** @throws InvalidArgumentError unless a profile can be called so: its name becomes that of two files */
export function checkProfileName(name: string): void {
  if (!/^[^./\\:\p{Cc}][^/\\:\p{Cc}]{0,199}$/u.test(name))
    throw new InvalidArgumentError('name', 'a plain file name of at most 200 characters', name)
}

/** Names of the profiles of a model folder, sorted. */
export async function listProfiles(directory: string): Promise<string[]> {
  const entries = await readdir(path.join(directory, 'profiles')).catch(() => [])
  return entries
    .filter((entry) => entry.endsWith('.json'))
    .map((entry) => entry.slice(0, -'.json'.length))
    .sort()
}

/** @throws FileFormatError, InvalidArgumentError if there is no profile of this name */
export async function readProfile(directory: string, name: string): Promise<Profile> {
  const known = await listProfiles(directory)
  if (!known.includes(name))
    throw new InvalidArgumentError('profile', `one of ${known.join(', ') || '(none: run dpllm calibrate)'}`, name)
  const file = path.join(directory, 'profiles', `${name}.json`)
  const parsed = profileSchema.safeParse(await readJson(file))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new FileFormatError(file, issue.message, { item: issue.path.join('.') })
  }
  const projections = new Map<string, Tensor<'f32'>>()
  if (parsed.data.estimator === 'projection') {
    await using tensors = await openSafetensors(path.join(directory, 'profiles', `${name}.safetensors`))
    for (const tensorName of tensors.tensors.keys()) {
      const tensor = await tensors.read(tensorName)
      if (tensor.dtype !== 'f16' || tensor.shape.length !== 2) {
        throw new FileFormatError(tensors.path, `expected an F16 matrix, found ${tensor.dtype} [${tensor.shape}]`, {
          item: tensorName,
        })
      }
      projections.set(tensorName, { dtype: 'f32', shape: tensor.shape, data: toFloat32(tensor as Tensor<'f16'>) })
    }
  }
  return { name, data: parsed.data, projections }
}

/**
 * Writes both files of a profile; the JSON last, since it is what makes the profile be found.
 * @throws InvalidArgumentError for a name that is no plain file name; DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function writeProfile(directory: string, profile: Profile): Promise<void> {
  checkProfileName(profile.name)
  const base = path.join(directory, 'profiles', profile.name)
  await mkdir(path.dirname(base), { recursive: true }).catch((error) => {
    throw writeError(path.dirname(base), error)
  })
  if (profile.projections.size > 0) {
    const entries = [...profile.projections].map(([name, { shape, data }]) => ({
      name,
      dtype: 'f16' as const,
      shape,
      data: () => toFloat16(data),
    }))
    await writeSafetensors(`${base}.safetensors`, entries)
  }
  await writeFileAtomic(`${base}.json`, `${JSON.stringify(profile.data, null, 2)}\n`)
}
