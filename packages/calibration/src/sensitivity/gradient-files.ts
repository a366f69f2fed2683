import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AccumulateMode, FileFormatError } from '@dpllm/core'
import { openSafetensors, type SafetensorsFile, type TensorEntry, writeSafetensors } from '@dpllm/core/node'

/** What is added up of every sample's weight gradient: its squares (diagonal Fisher) or the gradient itself. */
export type GradientMode = Extract<AccumulateMode, 'squares' | 'sum'>

/** A file of sums over samples, f32 [rows, cols] by module. */
export interface GradientFile extends AsyncDisposable {
  readonly file: SafetensorsFile
  /** Samples that are in the sums, and that there are to be. */
  readonly done: number
  readonly total: number
}

const FINGERPRINT_KEY = 'dpllm.fingerprint'
const SAMPLES_KEY = 'dpllm.samples'
const NAME = /^gradient-(squares|sum)-.+\.safetensors$/

/** Whether a file of that name holds sums of gradients. */
export function isGradientFile(name: string): boolean {
  return NAME.test(name)
}

/** Where a group of modules has its sums: every module is in one group, so that its first one tells it from others. */
export function gradientFilePath(folder: string, mode: GradientMode, modules: readonly string[]): string {
  return join(folder, `gradient-${mode}-${modules[0]}.safetensors`)
}

/** Writes sums that may be unfinished; the file appears whole or not at all. */
export async function writeGradientFile(
  path: string,
  entries: Iterable<TensorEntry>,
  { fingerprint, done, total, signal }: { fingerprint: string; done: number; total: number; signal?: AbortSignal | undefined },
): Promise<void> {
  await writeSafetensors(path, entries, {
    metadata: { [FINGERPRINT_KEY]: fingerprint, [SAMPLES_KEY]: `${done}/${total}` },
    signal,
  })
}

/**
 * Opens one file.
 * @throws FileFormatError if it is damaged, or of a run with another fingerprint
 */
export async function openGradientFile(path: string, fingerprint: string): Promise<GradientFile> {
  const file = await openSafetensors(path)
  try {
    if (file.metadata[FINGERPRINT_KEY] !== fingerprint) {
      throw new FileFormatError(path, 'gradients of another model, text or settings; delete the file, or take another folder')
    }
    const [, done, total] = /^(\d+)\/(\d+)$/.exec(file.metadata[SAMPLES_KEY] ?? '') ?? []
    if (done === undefined) throw new FileFormatError(path, `its metadata lacks ${SAMPLES_KEY}`)
    for (const { name, dtype, shape } of file.tensors.values()) {
      if (dtype !== 'f32' || shape.length !== 2) {
        throw new FileFormatError(path, `expected f32 [rows, cols], found ${dtype} [${shape}]`, { item: name })
      }
    }
    return { file, done: Number(done), total: Number(total), [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

/** Opens all files of a folder. Errors as `openGradientFile`. */
export async function openGradientFiles(folder: string, mode: GradientMode, fingerprint: string): Promise<GradientFile[]> {
  const opened: GradientFile[] = []
  try {
    for (const name of (await readdir(folder)).sort()) {
      if (NAME.exec(name)?.[1] === mode) opened.push(await openGradientFile(join(folder, name), fingerprint))
    }
    return opened
  } catch (error) {
    for (const file of opened) await file[Symbol.asyncDispose]()
    throw error
  }
}
