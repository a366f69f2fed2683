import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, readText, root } from './repository.js'

export interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface PackageSources {
  /** Name of the folder under packages/, which is the package's name without its scope. */
  readonly folder: string
  readonly manifest: Manifest
  /** Text of every script file by its path from the package's folder. */
  readonly files: ReadonlyMap<string, string>
}

const sourceFolders = /^(src|bin|scripts|test)\//
const scriptFile = /\.[cm]?[jt]s$/

/** The packages of this repository as they are on disk. */
export function readPackages(): PackageSources[] {
  const folders = readdirSync(join(root, 'packages')).filter((folder) =>
    existsSync(join(root, 'packages', folder, 'package.json')),
  )
  return folders.sort().map((folder) => {
    const prefix = `packages/${folder}/`
    const paths = listFiles(`packages/${folder}`).map((path) => path.slice(prefix.length))
    const scripts = paths.filter((path) => sourceFolders.test(path) && scriptFile.test(path))
    return {
      folder,
      manifest: JSON.parse(readText(`${prefix}package.json`)) as Manifest,
      files: new Map(scripts.map((path) => [path, readText(prefix + path)])),
    }
  })
}

/**
 * Tests, and what only tests use: they may need more than users install. A folder src/testing is such help for the
 * package's own tests, unless it is an entry of the package.
 */
export function isTestFile(p: PackageSources, path: string): boolean {
  if (/\.(test|bench)\.[cm]?[jt]s$/.test(path) || /^(test|scripts)\//.test(path)) return true
  return path.startsWith('src/testing/') && p.manifest.exports?.['./testing'] === undefined
}
