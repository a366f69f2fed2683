import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { writeError } from '@dpllm/core/node'
import { checkOutput, isSmallFile, partialFolder } from '../quantizer/output-folder.js'
import { tuningOf } from './tuned-tables-file.js'
import { isTuningFile, stateFingerprint, TUNING_STATE_FILE } from './tuning-state.js'

/**
 * Checks that tuned tables may be written to `out`: a folder that does not exist yet or, with `overwrite`, a quantized
 * model, the one that is tuned included.
 * @throws InvalidArgumentError
 */
export async function checkTuningOutput(original: string, quantized: string, out: string, overwrite: boolean): Promise<void> {
  await checkOutput(original, out, overwrite)
  const real = (folder: string) => realpath(folder).catch(() => resolve(folder))
  if (!(overwrite && (await real(quantized)) === (await real(out)))) await checkOutput(quantized, out, overwrite)
}

/**
 * Makes the partial folder of `out`, or finds the work of an interrupted run in it.
 * @param files of weights, which it may hold
 * @throws InvalidArgumentError if it is work of other models or settings (with `overwrite` that is dropped) or holds files
 * that no run makes; DpllmError ERR_DPLLM_WRITE if the system does not let it be made
 */
export async function openTuningFolder(
  out: string,
  files: readonly string[],
  fingerprint: string,
  overwrite: boolean,
): Promise<string> {
  const folder = partialFolder(out)
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  const stale: string[] = []
  for (const file of await readdir(folder)) {
    const path = join(folder, file)
    if (isSmallFile(file)) stale.push(path)
    else if (!isTuningFile(file) && !files.includes(file)) {
      throw new InvalidArgumentError('out', `only files of an unfinished run in ${folder}`, file)
    } else {
      const found = file === TUNING_STATE_FILE ? await stateFingerprint(folder) : (await tuningOf(path))?.fingerprint
      if (found === fingerprint) continue
      if (!overwrite) {
        const wanted = `no unfinished work of other models or settings in ${folder} (delete it, or overwrite: true)`
        throw new InvalidArgumentError('out', wanted, file)
      }
      stale.push(path)
    }
  }
  for (const path of stale) await rm(path)
  return folder
}
