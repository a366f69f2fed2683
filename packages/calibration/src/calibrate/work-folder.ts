import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readError, writeError, writeFileAtomic } from '@dpllm/core/node'

/** Raised when the same settings give other results than before, so that none are mixed. */
const VERSION = 1

/** Where a calibration keeps what it has measured, so that an interrupted one, or one with other targets, need not again. */
export interface WorkFolder {
  /**
   * The result of a phase: what an earlier run has kept under the same name and settings, or what `make` gives, which is
   * then kept.
   * @param settings everything that the result depends on besides the model and the text; plain JSON
   */
  kept<Result>(name: string, settings: unknown, make: () => Promise<Result>): Promise<Result>
  /** A place for the files of a phase that keeps unfinished work itself: a path that is its own, and what to know it by. */
  place(name: string, settings: unknown): { path: string; fingerprint: string }
  /** Makes the folder of such a place, and gives it. @throws DpllmError ERR_DPLLM_WRITE */
  folder(name: string, settings: unknown): Promise<{ path: string; fingerprint: string }>
}

/**
 * @param folder is made when something is kept
 * @param source what everything depends on: the model, the text
 * @throws DpllmError ERR_DPLLM_WRITE, also from its functions
 */
export function openWorkFolder(folder: string, source: unknown): WorkFolder {
  const make = (path: string) =>
    mkdir(path, { recursive: true }).catch((error) => {
      throw writeError(path, error)
    })
  const place = (name: string, settings: unknown) => {
    const fingerprint = createHash('sha256')
      .update(JSON.stringify({ version: VERSION, source, name, settings }))
      .digest('hex')
    return { path: join(folder, `${name}-${fingerprint.slice(0, 12)}`), fingerprint }
  }
  return {
    place,
    kept: async <Result>(name: string, settings: unknown, compute: () => Promise<Result>) => {
      const { path, fingerprint } = place(name, settings)
      const file = `${path}.json`
      const found = await readKept<Result>(file, fingerprint)
      if (found !== undefined) return found.result
      const result = await compute()
      await make(folder)
      await writeFileAtomic(file, `${JSON.stringify({ fingerprint, result })}\n`)
      // As a later run would find it.
      return JSON.parse(JSON.stringify(result)) as Result
    },
    folder: async (name, settings) => {
      const found = place(name, settings)
      await make(found.path)
      return found
    },
  }
}

/** Removes what a phase has kept in its place. */
export async function removePlace({ path }: { path: string }): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

/** A file that is not whole, or another's, counts as none: what it held is measured again. */
async function readKept<Result>(file: string, fingerprint: string): Promise<{ result: Result } | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as { fingerprint?: unknown; result: Result } | null
    return kept?.fingerprint === fingerprint ? kept : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw readError(file, error)
  }
}
