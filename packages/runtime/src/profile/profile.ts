import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { InvalidArgumentError, type Tensor } from '@dpllm/core'
import { readError } from '@dpllm/core/node'
import type { SelectInputs } from '../models/select-inputs.js'
import type { PolicyData, ProfileData } from './schema.js'

/** An adaptation profile: its JSON and the tensors of its estimators. */
export interface Profile {
  readonly name: string
  readonly data: ProfileData
  /**
   * By name: for `threshold` those of `serializeEstimators`, for `budget` MODULE.probe [D], for `fixed` `projectionName`
   * [k, cols]; none for `static`. Files hold projections as F16, so that those of a profile that was read are rounded to it.
   */
  readonly tensors: ReadonlyMap<string, Tensor<'f32'>>
}

/** Name of the matrix that estimates ‖(W_high − W_low) x‖ of a module. */
export function projectionName(module: string, low: number, high: number): string {
  return `${module}.${low}-${high}.projection`
}

/** Name of a module's probe in a profile of kind `budget`. */
export function probeName(module: string): string {
  return `${module}.probe`
}

/** What the select operators of a program must read for this policy. */
export function selectInputsOf(policy: PolicyData): SelectInputs {
  if (policy.kind === 'static') return 'own'
  return policy.kind === 'budget' ? 'residual' : policy.selectInputs
}

/** @throws InvalidArgumentError unless a profile can be called so: its name becomes that of two files */
export function checkProfileName(name: string): void {
  if (!/^[^./\\:\p{Cc}][^/\\:\p{Cc}]{0,199}$/u.test(name))
    throw new InvalidArgumentError('name', 'a plain file name of at most 200 characters', name)
}

/** The two files of a profile. */
export function profileFiles(directory: string, name: string): { json: string; tensors: string } {
  const base = path.join(directory, 'profiles', name)
  return { json: `${base}.json`, tensors: `${base}.safetensors` }
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
