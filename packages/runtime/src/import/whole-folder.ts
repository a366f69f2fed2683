import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import path from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { replaceFolder, writeError } from '@dpllm/core/node'

/**
 * Makes a folder that appears whole or not at all: `fill` writes into a temporary one beside it, which is then renamed.
 * If `fill` throws, nothing stays and `directory` is as before. Missing parents are made.
 * @param options.overwrite replace a folder that holds a `config.json`; others are never removed
 * @param options.source folder that `fill` reads, which must not be inside `directory`
 * @throws InvalidArgumentError if `directory` is there and not empty, or holds the source; DpllmError ERR_DPLLM_WRITE if the system does not
 * let it; what `fill` throws
 */
export async function writeWholeFolder(
  directory: string,
  { overwrite, source }: { overwrite: boolean; source?: string },
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const target = path.resolve(directory)
  try {
    if (source !== undefined) await checkOutside(source, target)
    const there = await entriesOf(target)
    if (there !== undefined && there.length > 0) {
      if (!overwrite) throw new InvalidArgumentError('out', 'a folder that is not there yet, or overwrite', directory)
      if (!there.includes('config.json'))
        throw new InvalidArgumentError('out', 'the folder of a model, to overwrite it', directory)
    }
    await mkdir(path.dirname(target), { recursive: true })
    const temporary = await mkdtemp(path.join(path.dirname(target), `.${path.basename(target)}.`))
    try {
      const fresh = path.join(temporary, 'new')
      await mkdir(fresh)
      await fill(fresh)
      await replaceFolder(fresh, target, there === undefined ? undefined : path.join(temporary, 'old'))
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  } catch (error) {
    throw writeError(directory, error)
  }
}

/** Overwriting the folder must not remove what is being read. */
async function checkOutside(source: string, target: string): Promise<void> {
  const real = async (folder: string) => realpath(folder).catch(() => path.resolve(folder))
  const inside = path.relative(await real(target), await real(source))
  if (inside !== '..' && !inside.startsWith(`..${path.sep}`) && !path.isAbsolute(inside)) {
    throw new InvalidArgumentError('out', 'another folder than the source', target)
  }
}

/** Names in a folder; undefined if there is none. */
async function entriesOf(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
