import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The bytes of every file in a folder, by name. */
export async function readFolder(directory: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(directory)).sort()
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const)))
}
