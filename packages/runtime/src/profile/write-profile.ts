import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { firstNonFinite, InvalidArgumentError, type Tensor, toFloat16 } from '@dpllm/core'
import { type TensorEntry, writeError, writeFileAtomic, writeSafetensors } from '@dpllm/core/node'
import { checkProfileName, type Profile, profileFiles } from './profile.js'
import { profileSchema } from './schema.js'

/**
 * Writes both files of a profile; the JSON last, since it is what makes the profile be found. Projections are rounded to
 * F16, other tensors are written as they are.
 * @throws InvalidArgumentError for a name that is no plain file name, data that readers would refuse, or a tensor with
 * numbers that are not finite (in F16); DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function writeProfile(directory: string, { name, data, tensors }: Profile): Promise<void> {
  checkProfileName(name)
  const parsed = profileSchema.safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new InvalidArgumentError(['data', ...issue.path].join('.'), issue.message, 'other data')
  }
  const entries = [...tensors].map(([tensor, value]) => entryOf(tensor, value))
  const files = profileFiles(directory, name)
  const folder = path.dirname(files.json)
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  if (entries.length > 0) await writeSafetensors(files.tensors, entries)
  await writeFileAtomic(files.json, `${JSON.stringify(data, null, 2)}\n`)
}

function entryOf(name: string, tensor: Tensor<'f32'>): TensorEntry {
  const { shape, data } = tensor
  const half = name.endsWith('.projection')
  const written: Tensor<'f16' | 'f32'> = half ? { dtype: 'f16', shape, data: toFloat16(data) } : tensor
  const at = firstNonFinite(written as Tensor<'f16'> | Tensor<'f32'>)
  if (at >= 0) throw new InvalidArgumentError(name, `numbers that are finite in ${half ? 'F16' : 'F32'}`, `element ${at}`)
  return { name, ...written } as TensorEntry
}
