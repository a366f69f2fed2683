import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What builds, installs and tests leave behind; the same names as in .gitignore. */
const generated = new Set(['node_modules', 'dist', 'build', '.turbo', 'coverage', '.git', '.scratch', 'models', '.vitest.json'])
const generatedFile = /\.(node|tgz|tsbuildinfo)$/

/** Files of the repository under a folder, as paths from the root with forward slashes, sorted. */
export function listFiles(folder = ''): string[] {
  const files: string[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (generated.has(entry.name) || generatedFile.test(entry.name)) continue
    if (entry.isDirectory()) files.push(...listFiles(path))
    else if (entry.isFile()) files.push(path)
  }
  return files.sort()
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
