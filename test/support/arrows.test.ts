import { expect, test } from 'vitest'
import { checkArrows, reachedBuiltins } from './arrows.js'
import type { Manifest, PackageSources } from './packages.js'

/** A package with a source file, and what it declares. */
function made(folder: string, text: string, manifest: Omit<Manifest, 'name'> = {}, path = 'src/index.ts'): PackageSources {
  return {
    folder,
    manifest: { name: `@dpllm/${folder}`, exports: { '.': './src/index.ts' }, ...manifest },
    files: new Map([[path, text]]),
  }
}

const core = made('core', 'export const a = 1', { exports: { '.': '', './node': '' } })
const onCore = { dependencies: { '@dpllm/core': 'workspace:^' } }
const onRuntime = { dependencies: { '@dpllm/runtime': 'workspace:^' } }

test('imports along the arrows pass', () => {
  const runtime = made('runtime', "import { a } from '@dpllm/core/node'\nimport { readFile } from 'node:fs/promises'", onCore)
  const evaluation = made('eval', "export { a } from '@dpllm/runtime'", onRuntime)
  expect(checkArrows([core, runtime, evaluation])).toEqual([])
})

test.each([
  ['import', "import { a } from '@dpllm/runtime'"],
  ['type import', "import type { A } from '@dpllm/runtime'"],
  ['side effect', "import '@dpllm/runtime'"],
  ['export from', "export { a } from '@dpllm/runtime'"],
  ['export all', "export * from '@dpllm/runtime'"],
  ['dynamic import', "const later = () => import('@dpllm/runtime')"],
  ['require', "const a = require('@dpllm/runtime')"],
  ['type query', "let a: import('@dpllm/runtime').A"],
  ['resolve', "import.meta.resolve('@dpllm/runtime')"],
])('a wrong arrow is caught: %s', (_, text) => {
  const runtime = made('runtime', 'export const a = 1')
  const violations = checkArrows([runtime, made('cpu-kernels', `// a comment\n${text}`)])
  expect(violations).toEqual([
    "packages/cpu-kernels/src/index.ts:2: '@dpllm/runtime' is not below @dpllm/cpu-kernels, which may import @dpllm/core",
  ])
})

test('text that only looks like an import is not one', () => {
  const text = `// import '@dpllm/runtime'\nconst a = "import { b } from '@dpllm/runtime'"`
  expect(checkArrows([made('core', text)])).toEqual([])
})

test('a wrong dependency is caught before anything imports it', () => {
  const violations = checkArrows([made('core', '', onRuntime)])
  expect(violations).toEqual([
    "packages/core/package.json: '@dpllm/runtime' is not below @dpllm/core, which may import none of our packages",
  ])
})

test.each([
  ["import { a } from '../../core/src/index.js'", 'leaves the package'],
  ["import { a } from '@dpllm/core/src/tensor.js'", 'is not an export of @dpllm/core'],
  ["import { z } from 'zod'", 'is not a dependency in package.json'],
  ["import { test } from 'vitest'", 'is not a dependency in package.json'],
  ["import { a } from '@dpllm/runtime'", 'is this package itself; import the file'],
])('%s: %s', (text, problem) => {
  const violations = checkArrows([core, made('runtime', text, onCore)])
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(problem)
})

test('tests may use development tools and their own package by name', () => {
  const text = "import { test } from 'vitest'\nimport { a } from '@dpllm/runtime'"
  expect(checkArrows([made('runtime', text, {}, 'src/a.test.ts')])).toEqual([])
})

test('help for tests is for tests only, unless it is an entry of the package', () => {
  const files = new Map([
    ['src/index.ts', "import { helper } from './testing/helper.js'"],
    ['src/testing/helper.ts', "import { expect } from 'vitest'"],
    ['src/index.test.ts', "import { helper } from './testing/helper.js'"],
  ])
  const runtime = { folder: 'runtime', manifest: { name: '@dpllm/runtime' }, files }
  expect(checkArrows([runtime])).toEqual(["packages/runtime/src/index.ts:1: './testing/helper.js' is only for tests"])
  const exported = { ...runtime, manifest: { name: '@dpllm/runtime', exports: { './testing': '' } } }
  expect(checkArrows([exported])).toEqual([
    "packages/runtime/src/testing/helper.ts:1: 'vitest' is not a dependency in package.json",
  ])
})

test('estimators take nothing that needs Node', () => {
  const text = "import { a } from '@dpllm/core/node'\nimport { join } from 'path'\nimport { b } from '@dpllm/core'"
  const violations = checkArrows([core, made('estimators', text, onCore)])
  expect(violations).toHaveLength(2)
  expect(violations[0]).toContain('is more than the main entry of core')
  expect(violations[1]).toContain('is a Node built-in')
})

test('a package without a row in the table is caught', () => {
  expect(checkArrows([made('surprise', '')])[0]).toContain('has no row')
})

test('a platform package belongs to its package', () => {
  const optional = { optionalDependencies: { '@dpllm/cpu-kernels-linux-x64': 'workspace:*' } }
  expect(checkArrows([made('cpu-kernels', "require('@dpllm/cpu-kernels-linux-x64')", optional)])).toEqual([])
})

test('a Node built-in is found through other files, and not where nothing leads to it', () => {
  const files = new Map([
    ['src/index.ts', "export { a } from './a/index.js'"],
    ['src/a/index.ts', "import { b } from '../b.js'\nexport const a = b"],
    ['src/b.ts', "import { readFileSync } from 'fs'\nimport '../src/index.js'"],
    ['src/c.ts', 'export const c = 1'],
  ])
  const p = { folder: 'core', manifest: { name: '@dpllm/core' }, files }
  expect(reachedBuiltins(p, 'src/index.ts')).toEqual(["packages/core/src/b.ts:1: reaches 'fs'"])
  expect(reachedBuiltins(p, 'src/c.ts')).toEqual([])
})
