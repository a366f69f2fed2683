import { mkdir, readdir, realpath, rm, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { InvalidArgumentError, isJsonObject } from '@dpllm/core'
import { CHECKPOINT_INDEX_FILE, openSafetensors, readJson, replaceFolder, writeError } from '@dpllm/core/node'
import { isSideFile } from '@dpllm/runtime'
import { isGradientFile, openGradientFile } from '../sensitivity/gradient-files.js'
import { isTuningFile } from '../tables/tuning-state.js'
import { MOMENTS_FILE } from './measure-sensitivities.js'
import { type Shard, unitTensors } from './shards.js'

/** Where a shard's metadata names the run that it belongs to. */
export const FINGERPRINT_KEY = 'dpllm.fingerprint'

/** The folder in which the files of `out` are made until all are there. */
export function partialFolder(out: string): string {
  return `${resolve(out)}.partial`
}

/**
 * Checks that a model may be written to `out`: that it does not exist yet or, with `overwrite`, that it is a quantized
 * model, so that no other folder can be lost by mistake.
 * @throws InvalidArgumentError
 */
export async function checkOutput(source: string, out: string, overwrite: boolean): Promise<void> {
  const from = await realpath(source).catch(() => resolve(source))
  for (const folder of [resolve(out), partialFolder(out)]) {
    if (isInside(from, await realpath(folder).catch(() => folder))) {
      throw new InvalidArgumentError('out', 'another folder than the source', out)
    }
  }
  const found = await stat(out).catch(() => undefined)
  if (found === undefined) return
  if (!overwrite) throw new InvalidArgumentError('out', 'a folder that does not exist yet (or overwrite: true)', out)
  const config = await readJson(join(out, 'config.json')).catch(() => undefined)
  if (!isJsonObject(config) || config.dpllm === undefined) {
    throw new InvalidArgumentError('out', 'a folder with a quantized model, to overwrite it', out)
  }
}

/**
 * Checks that files that are to stay are not kept where the model is made.
 * @throws InvalidArgumentError
 */
export function checkSensitivityFolder(folder: string, out: string): void {
  for (const made of [resolve(out), partialFolder(out)]) {
    if (isInside(resolve(folder), made))
      throw new InvalidArgumentError('sensitivityFolder', `a folder outside of ${made}, which is made anew`, folder)
  }
}

function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path)
  return steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps)
}

/**
 * Makes the partial folder of `out`, or finds the finished shards in the one that an interrupted run left behind.
 * The small files in it are made anew.
 * @param fingerprints of the output and of what is measured for it
 * @returns files of the finished shards
 * @throws InvalidArgumentError if it is of a run with another source or other settings (with `overwrite` that work is
 * dropped) or holds files that no run makes; DpllmError ERR_DPLLM_WRITE if the system does not let it be made
 */
export async function openPartialFolder(
  out: string,
  shards: readonly Shard[],
  fingerprints: { readonly output: string; readonly sensitivity: string },
  overwrite: boolean,
): Promise<Set<string>> {
  const folder = partialFolder(out)
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  const finished = new Set<string>()
  const stale: string[] = []
  for (const file of await readdir(folder)) {
    const shard = shards.find((s) => s.file === file)
    if (shard !== undefined && (await isFinished(join(folder, file), shard, fingerprints.output))) finished.add(file)
    else if (isGradientFile(file) && (await isGradientOf(join(folder, file), fingerprints.sensitivity))) continue
    // Names its own run, and is measured anew for another.
    else if (file === MOMENTS_FILE || isTuningFile(file)) continue
    else if (isSmallFile(file) || (overwrite && isWork(file))) stale.push(file)
    else if (isWork(file)) {
      const wanted = `no unfinished work of another source or other settings in ${folder} (delete it, or overwrite: true)`
      throw new InvalidArgumentError('out', wanted, file)
    } else throw new InvalidArgumentError('out', `only files of an unfinished run in ${folder}`, file)
  }
  for (const file of stale) await rm(join(folder, file))
  return finished
}

const SHARD = /^model(-\d{5}-of-\d{5})?\.safetensors$/

/** Files that hours may have gone into. */
function isWork(file: string): boolean {
  return SHARD.test(file) || isGradientFile(file)
}

/** Removes what has been measured, when nothing needs it any more. */
export async function removeSensitivities(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (file === MOMENTS_FILE || isGradientFile(file)) await rm(join(folder, file))
  }
}

/** Files of a run that are no shards: those that come last, and what a killed process was writing. */
export function isSmallFile(file: string): boolean {
  return file === 'config.json' || file === CHECKPOINT_INDEX_FILE || isSideFile(file) || /^\..*\.tmp$/.test(file)
}

async function isGradientOf(path: string, fingerprint: string): Promise<boolean> {
  try {
    await using _ = await openGradientFile(path, fingerprint)
    return true
  } catch {
    return false
  }
}

/** Shards appear whole or not at all, so one that says what it should is complete. */
async function isFinished(path: string, shard: Shard, fingerprint: string): Promise<boolean> {
  try {
    await using file = await openSafetensors(path)
    if (file.metadata[FINGERPRINT_KEY] !== fingerprint) return false
    const wanted = unitTensors(shard)
    return (
      wanted.length === file.tensors.size &&
      wanted.every(({ name, dtype, shape }) => {
        const found = file.tensors.get(name)
        return found !== undefined && found.dtype === dtype && found.shape.join() === shape.join()
      })
    )
  } catch {
    return false
  }
}

/**
 * Makes the complete partial folder `out`; with `overwrite`, in the place of what is there.
 * @throws DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function publishFolder(out: string, overwrite: boolean): Promise<void> {
  await replaceFolder(partialFolder(out), resolve(out), overwrite ? `${resolve(out)}.replaced` : undefined)
}
