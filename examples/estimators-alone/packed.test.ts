import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { checkResults } from './check-results.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = ['core', 'estimators']
const folder = mkdtempSync(join(tmpdir(), 'dpllm-estimators-alone-'))
afterAll(() => rmSync(folder, { recursive: true }))

// `npm test` builds before it tests; where nobody has, or not since a name was added, there is nothing to pack.
test.skipIf(!packages.every(isBuilt))('installed from tarballs into an empty folder, plain JavaScript runs it offline', () => {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of packages)
    run('npx', ['--prefer-offline', '-y', packageManager, 'pack', '--pack-destination', folder], join(root, 'packages', name))
  const tarballs = readdirSync(folder)
  expect(tarballs).toHaveLength(packages.length)

  const dependencies = Object.fromEntries(packages.map((name) => [`@dpllm/${name}`, `file:${tarballOf(tarballs, name)}`]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache')], folder)
  // Nothing else of ours, nothing of others, nothing native, no scripts that ran.
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@dpllm'])
  expect(readdirSync(join(folder, 'node_modules/@dpllm')).sort()).toEqual(packages)
  const files = readdirSync(join(folder, 'node_modules/@dpllm/estimators'), { recursive: true }).map(String)
  expect(files.filter((file) => /\.(node|wasm|test\.ts)$|^scripts|^test/.test(file))).toEqual([])
  expect(files).toContain('vectors.json')

  for (const file of ['index.mjs', 'toy-engine.mjs'])
    copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(folder, file))
  checkResults(JSON.parse(run(process.execPath, ['index.mjs', '--json'], folder)))
})

function run(command: string, args: string[], cwd: string): string {
  // npx and npm are scripts there, which only a shell starts.
  const shell = process.platform === 'win32' && command !== process.execPath
  return execFileSync(command, args, { cwd, shell, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function tarballOf(tarballs: string[], name: string): string {
  return tarballs.find((file) => file.includes(`-${name}-`))!
}

/** Whether `dist` is there and exports what the sources do. */
function isBuilt(name: string): boolean {
  const dist = join(root, 'packages', name, 'dist/index.js')
  if (!existsSync(dist)) return false
  const built = exportedNames(readFileSync(dist, 'utf8'))
  return [...exportedNames(readFileSync(join(root, 'packages', name, 'src/index.ts'), 'utf8'))].every((n) => built.has(n))
}

/** Values that `export { … }` statements name. */
function exportedNames(source: string): Set<string> {
  const lists = [...source.matchAll(/^export \{([^}]*)\}/gm)].map((match) => match[1])
  const names = lists.flatMap((list) => list.split(',').map((name) => name.trim()))
  return new Set(names.filter((name) => name !== '' && !name.startsWith('type ')))
}
