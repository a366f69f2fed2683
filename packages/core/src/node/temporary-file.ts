import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { writeError } from './system-error.js'

/** Temporary names of this process that are being written. */
const active = new Set<string>()
let counter = 0

/**
 * Makes a file that appears whole or not at all: `write` fills a temporary file in the same folder, which is then
 * flushed and renamed. If `write` throws, nothing stays and `path` is as before. What a killed process left behind for
 * the same `path` is removed.
 * @throws what `write` throws; DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function writeWhole(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const directory = dirname(path)
  const name = temporaryName(basename(path), process.pid, counter++)
  const temporary = join(directory, name)
  active.add(name)
  try {
    await removeStale(directory, basename(path))
    const handle = await open(temporary, 'wx')
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncDirectory(directory)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw writeError(path, error)
  } finally {
    active.delete(name)
  }
}

/**
 * Writes a small file so that it appears whole or not at all.
 * @param data text is written as UTF-8
 * @throws DpllmError ERR_DPLLM_WRITE if the system does not let it
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await writeWhole(path, (handle) => handle.writeFile(data))
}

function temporaryName(base: string, pid: number, n: number): string {
  return `.${base}.${pid}.${n}.tmp`
}

/** Removes temporary files for `base` whose process is gone. */
async function removeStale(directory: string, base: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`.${base}.`)) continue
    const [, pid, n] = /^\.(\d+)\.(\d+)\.tmp$/.exec(name.slice(base.length + 1)) ?? []
    if (pid === undefined || active.has(name) || (Number(pid) !== process.pid && isRunning(Number(pid)))) continue
    await rm(join(directory, temporaryName(base, Number(pid), Number(n))), { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Makes the renaming itself survive a power cut, where folders can be flushed (not on Windows). */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // The file itself is complete and flushed.
  }
}
