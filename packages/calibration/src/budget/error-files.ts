import { join } from 'node:path'
import { FileFormatError, type Tensor, toFloat16 } from '@dpllm/core'
import { openSafetensors, type SafetensorsFile, type TensorEntry, writeSafetensors } from '@dpllm/core/node'

/** What was measured of one block of a model on one window. */
export interface BlockErrors {
  /** f32 [bit counts, tokens] by module, fewest bits first: the squared error of every token. */
  readonly errors: ReadonlyMap<string, Tensor<'f32'>>
  /** f32 [tokens, D] by value of the program. */
  readonly features: ReadonlyMap<string, Tensor<'f32'>>
}

const FINGERPRINT_KEY = 'dpllm.fingerprint'

/** Where a block has its errors on a window. */
export function errorFilePath(folder: string, block: number, window: number): string {
  return join(folder, `errors-${block}-${window}.safetensors`)
}

/** Names of tensors, so that no module is mixed up with a value. */
const errorName = (module: string) => `error:${module}`
const featureName = (value: string) => `feature:${value}`

/**
 * Writes a file, which appears whole or not at all. Features are rounded to f16, which normed values fit in: they are nearly
 * all of the bytes.
 */
export async function writeErrorFile(
  path: string,
  { errors, features }: BlockErrors,
  { fingerprint, signal }: { fingerprint: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const entries: TensorEntry[] = [
    ...[...errors].map(([module, tensor]) => ({ name: errorName(module), ...tensor })),
    ...[...features].map(([value, { shape, data }]) => {
      return { name: featureName(value), dtype: 'f16' as const, shape, data: () => toFloat16(data) }
    }),
  ]
  await writeSafetensors(path, entries, { metadata: { [FINGERPRINT_KEY]: fingerprint }, signal })
}

/**
 * Opens a file.
 * @throws FileFormatError if it is damaged, or of a run with another fingerprint
 */
export async function openErrorFile(path: string, fingerprint: string): Promise<SafetensorsFile> {
  const file = await openSafetensors(path)
  if (file.metadata[FINGERPRINT_KEY] === fingerprint) return file
  await file[Symbol.asyncDispose]()
  throw new FileFormatError(path, 'errors of another model, text or settings; delete the folder, or take another one')
}

/** Reads f32 [bit counts, tokens] of a module. @throws FileFormatError if it has another shape */
export async function readErrors(
  file: SafetensorsFile,
  module: string,
  bitCounts: number,
  tokens: number,
): Promise<Float32Array> {
  const { data } = await readAs(file, errorName(module), 'f32', [bitCounts, tokens])
  return data as Float32Array
}

/** Reads f16 [tokens, width] of a value. @throws FileFormatError if it has another shape */
export async function readFeatures(file: SafetensorsFile, value: string, tokens: number, width: number): Promise<Tensor<'f16'>> {
  return (await readAs(file, featureName(value), 'f16', [tokens, width])) as Tensor<'f16'>
}

async function readAs(file: SafetensorsFile, name: string, dtype: 'f32' | 'f16', shape: readonly number[]): Promise<Tensor> {
  const found = file.tensors.get(name)
  if (found !== undefined && (found.dtype !== dtype || found.shape.join() !== shape.join())) {
    const message = `expected ${dtype} [${shape.join(', ')}], found ${found.dtype} [${found.shape.join(', ')}]`
    throw new FileFormatError(file.path, message, { item: name })
  }
  return file.read(name)
}
