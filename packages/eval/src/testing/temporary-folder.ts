import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach } from 'vitest'

/** A function that makes an empty folder; all are removed after each test. */
export function useTemporaryFolders(): () => Promise<string> {
  const made: string[] = []
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true })
  })
  return async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dpllm-sweep-'))
    made.push(folder)
    return folder
  }
}
