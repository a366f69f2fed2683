import { rename, rm } from 'node:fs/promises'
import { writeError } from './system-error.js'

/**
 * Renames a folder to `target`, where nothing but an empty folder may stand. With `aside` another folder may stand there:
 * it is moved to `aside` for that, back if the renaming fails, and else removed.
 * @param aside in the same folder as `target`; what is there already is removed
 * @throws DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function replaceFolder(fresh: string, target: string, aside?: string): Promise<void> {
  try {
    if (aside === undefined) return await rename(fresh, target)
    await rm(aside, { recursive: true, force: true })
    const stood = await moved(target, aside)
    try {
      await rename(fresh, target)
    } catch (error) {
      if (stood) await rename(aside, target)
      throw error
    }
    await rm(aside, { recursive: true, force: true })
  } catch (error) {
    throw writeError(target, error)
  }
}

/** Whether there was something to be moved. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
