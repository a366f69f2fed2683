import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { type Import, importsOf } from './imports.js'
import { isTestFile, type PackageSources } from './packages.js'

/** Which packages of ours each package may import: the arrows of docs/architecture.md. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  estimators: ['core'],
  'cpu-kernels': ['core'],
  'cuda-kernels': ['core'],
  runtime: ['core', 'estimators', 'cpu-kernels', 'cuda-kernels'],
  calibration: ['core', 'estimators', 'cpu-kernels', 'cuda-kernels', 'runtime'],
  eval: ['core', 'estimators', 'cpu-kernels', 'cuda-kernels', 'runtime'],
  cli: ['core', 'estimators', 'cpu-kernels', 'cuda-kernels', 'runtime', 'calibration', 'eval'],
}

const scope = '@dpllm/'

/** Development tools that the root package.json installs for all packages. */
const rootTools = ['vitest', 'fast-check', 'tsup', 'typescript']

/**
 * Checks imports and declared dependencies of all packages.
 * @returns one line for each violation, with file and line; empty when every arrow points the right way
 */
export function checkArrows(packages: readonly PackageSources[], allowed = arrows): string[] {
  const exportsOf = new Map(packages.map((p) => [p.manifest.name, Object.keys(p.manifest.exports ?? {})]))
  const violations: string[] = []
  for (const p of packages) {
    const row = allowed[p.folder]
    if (row === undefined) {
      violations.push(`packages/${p.folder}: has no row in the table of arrows (test/support/arrows.ts)`)
      continue
    }
    const names = row.map((folder) => scope + folder)
    violations.push(...checkManifest(p, names))
    for (const [path, text] of p.files) {
      for (const found of importsOf(path, text)) {
        const problem = checkImport(p, path, found, names, exportsOf)
        if (problem !== undefined) violations.push(`packages/${p.folder}/${path}:${found.line}: '${found.specifier}' ${problem}`)
      }
    }
  }
  return violations
}

/**
 * Follows the imports of a file inside its package.
 * @returns a line for each import of a Node built-in that the entry reaches, however indirectly
 */
export function reachedBuiltins(p: PackageSources, entry: string): string[] {
  const seen = new Set<string>()
  const reached: string[] = []
  const visit = (path: string) => {
    const text = p.files.get(path)
    if (text === undefined || seen.has(path)) return
    seen.add(path)
    for (const found of importsOf(path, text)) {
      if (isBuiltin(found.specifier)) reached.push(`packages/${p.folder}/${path}:${found.line}: reaches '${found.specifier}'`)
      if (isRelative(found.specifier)) visit(resolveRelative(path, found.specifier))
    }
  }
  visit(entry)
  return reached
}

function checkManifest(p: PackageSources, names: readonly string[]): string[] {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = p.manifest
  const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies, ...devDependencies })
  return declared
    .filter((name) => name.startsWith(scope) && !names.includes(name) && !isPlatformPackage(p, name))
    .map((name) => `packages/${p.folder}/package.json: '${name}' ${wrongWay(p, names)}`)
}

function checkImport(
  p: PackageSources,
  path: string,
  found: Import,
  names: readonly string[],
  exportsOf: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const { specifier } = found
  if (isRelative(specifier)) {
    const target = posix.join(posix.dirname(path), specifier)
    if (target.startsWith('..')) return 'leaves the package'
    return isTestFile(p, target) && !isTestFile(p, path) ? 'is only for tests' : undefined
  }
  if (isBuiltin(specifier)) {
    return p.folder === 'estimators' && !isTestFile(p, path) ? 'is a Node built-in; estimators run in any engine' : undefined
  }
  const { name, subpath } = splitSpecifier(specifier)
  if (name === p.manifest.name) return isTestFile(p, path) ? undefined : 'is this package itself; import the file'
  if (name.startsWith(scope) && !isPlatformPackage(p, name)) {
    if (!names.includes(name)) return wrongWay(p, names)
    if (!(exportsOf.get(name) ?? []).includes(subpath)) return `is not an export of ${name}`
    if (p.folder === 'estimators' && subpath !== '.') return 'is more than the main entry of core; estimators run in any engine'
  }
  return isDeclared(p, path, name) ? undefined : 'is not a dependency in package.json'
}

function isDeclared(p: PackageSources, path: string, name: string): boolean {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = p.manifest
  if (name in { ...dependencies, ...optionalDependencies, ...peerDependencies }) return true
  return isTestFile(p, path) && (name in { ...devDependencies } || rootTools.includes(name))
}

function wrongWay(p: PackageSources, names: readonly string[]): string {
  return `is not below ${p.manifest.name}, which may import ${names.length === 0 ? 'none of our packages' : names.join(', ')}`
}

/** The prebuilt binaries of a package: @dpllm/cpu-kernels-linux-x64 belongs to @dpllm/cpu-kernels. */
function isPlatformPackage(p: PackageSources, name: string): boolean {
  return name.startsWith(`${p.manifest.name}-`)
}

function splitSpecifier(specifier: string): { name: string; subpath: string } {
  const parts = specifier.split('/')
  const length = specifier.startsWith('@') ? 2 : 1
  return { name: parts.slice(0, length).join('/'), subpath: ['.', ...parts.slice(length)].join('/') }
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0])
}

/** Sources import './x.js' and mean './x.ts'. */
function resolveRelative(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}
