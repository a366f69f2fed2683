import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'

/** A function that writes bytes to a new file of a folder, which goes after the tests of the file. */
export function useFiles(): (bytes: Uint8Array, name?: string) => Promise<string> {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dpllm-torch-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  return async (bytes, name = `${count++}.pt`) => {
    const file = path.join(folder, name)
    await writeFile(file, bytes)
    return file
  }
}
