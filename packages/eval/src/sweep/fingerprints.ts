import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { InvalidArgumentError } from '@dpllm/core'
import { readError } from '@dpllm/core/node'

/** Files of a folder that is data (bbh has 54); a folder of more is not what was meant. */
const MAX_FILES = 1000

/**
 * SHA-256 of a file, or of the names and contents of all files of a folder, however deep. Hidden files do not count.
 * @throws FileFormatError if it cannot be read; InvalidArgumentError for a folder of more files than data has
 */
export async function fileFingerprint(file: string): Promise<string> {
  try {
    if (!(await stat(file)).isDirectory()) return await sha256OfFile(file)
    const names = (await readdir(file, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(file, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
      .sort()
    if (names.length > MAX_FILES) throw new InvalidArgumentError('data', `a folder of at most ${MAX_FILES} files`, names.length)
    const hash = createHash('sha256')
    for (const name of names) hash.update(`${JSON.stringify(name)} ${await sha256OfFile(path.join(file, name))}\n`)
    return hash.digest('hex')
  } catch (error) {
    throw readError(file, error)
  }
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
