import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, firstNonFinite, InvalidArgumentError, type Tensor, toFloat16, toFloat32 } from '@dpllm/core'
import {
  openSafetensors,
  readError,
  readJson,
  type SafetensorsFile,
  writeError,
  writeFileAtomic,
  writeSafetensors,
} from '@dpllm/core/node'
import type { AdaptiveLinear } from './adaptive-linears.js'
import { checkProfile } from './check-profile.js'
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

/** The two files of a profile. */
export function profileFiles(directory: string, name: string): { json: string; matrices: string } {
  const base = path.join(directory, 'profiles', name)
  return { json: `${base}.json`, matrices: `${base}.safetensors` }
}

/**
 * Names of the profiles of a model folder, sorted; none if it has no folder of them.
 * @throws FileFormatError if that folder cannot be read
 */
export async function listProfiles(directory: string): Promise<string[]> {
  const folder = path.join(directory, 'profiles')
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw readError(folder, error)
  })
  return entries
    .filter((entry) => entry.endsWith('.json'))
    .map((entry) => entry.slice(0, -'.json'.length))
    .sort()
}

/**
 * Reads what a profile decides, without its matrices.
 * @throws FileFormatError, InvalidArgumentError if there is no profile of this name
 */
export async function readProfileData(directory: string, name: string): Promise<ProfileData> {
  const known = await listProfiles(directory)
  if (!known.includes(name))
    throw new InvalidArgumentError('profile', `one of ${known.join(', ') || '(none: run dpllm calibrate)'}`, name)
  const file = profileFiles(directory, name).json
  const parsed = profileSchema.safeParse(await readJson(file))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new FileFormatError(file, issue.message, { item: issue.path.join('.') })
}

/**
 * Reads a profile.
 * @param linears of the model that it is for, by module: checked if given
 * @throws FileFormatError naming file and module or matrix, InvalidArgumentError if there is no profile of this name
 */
export async function readProfile(
  directory: string,
  name: string,
  linears?: ReadonlyMap<string, AdaptiveLinear>,
): Promise<Profile> {
  const files = profileFiles(directory, name)
  const data = await readProfileData(directory, name)
  if (linears !== undefined) checkProfile(data, files.json, linears)
  const projections = new Map<string, Tensor<'f32'>>()
  const needed = matricesOf(data)
  if (needed.size === 0) return { name, data, projections }
  await using file = await openSafetensors(files.matrices)
  for (const [matrix, module] of needed) projections.set(matrix, await readMatrix(file, matrix, linears?.get(module)?.cols))
  return { name, data, projections }
}

/** Names of the matrices that a profile's decisions need, and the modules that they are for. */
function matricesOf({ targets, estimator }: ProfileData): Map<string, string> {
  const decisions = targets.flatMap(({ linears }) => Object.entries(linears))
  const projected = decisions.filter(([, d]) => d.low !== d.high && (d.estimator?.kind ?? estimator) === 'projection')
  return new Map(projected.map(([module, { low, high }]) => [projectionName(module, low, high), module]))
}

/** @param cols of the linear, if known */
async function readMatrix(file: SafetensorsFile, name: string, cols: number | undefined): Promise<Tensor<'f32'>> {
  const fail = (message: string) => new FileFormatError(file.path, message, { item: name })
  const tensor = await file.read(name)
  const { dtype, shape } = tensor
  if (dtype !== 'f16' || shape.length !== 2 || shape[1] !== (cols ?? shape[1]))
    throw fail(`expected f16 [k,${cols ?? 'cols'}], found ${dtype} [${shape}]`)
  const at = firstNonFinite(tensor as Tensor<'f16'>)
  if (at >= 0) throw fail(`element ${at} is not a finite number`)
  return { dtype: 'f32', shape, data: toFloat32(tensor as Tensor<'f16'>) }
}

/**
 * Writes both files of a profile; the JSON last, since it is what makes the profile be found.
 * @throws InvalidArgumentError for a name that is no plain file name; DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function writeProfile(directory: string, profile: Profile): Promise<void> {
  checkProfileName(profile.name)
  const files = profileFiles(directory, profile.name)
  const folder = path.dirname(files.json)
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  if (profile.projections.size > 0) {
    const entries = [...profile.projections].map(([name, { shape, data }]) => ({
      name,
      dtype: 'f16' as const,
      shape,
      data: () => toFloat16(data),
    }))
    await writeSafetensors(files.matrices, entries)
  }
  await writeFileAtomic(files.json, `${JSON.stringify(profile.data, null, 2)}\n`)
}
