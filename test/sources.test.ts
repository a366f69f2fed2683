import ts from 'typescript'
import { expect, test } from 'vitest'
import { parseSource } from './support/imports.js'
import { readPackages } from './support/packages.js'
import { listFiles, readText } from './support/repository.js'

const scripts = listFiles().filter((path) => /\.([cm]?[jt]s|sh)$/.test(path))
const native = listFiles('packages').filter((path) => /\.(c|cc|cpp|cu|h|hpp|cuh|inl)$/.test(path))

/** Most lines of a file. Sources that a person reads whole are short; tables of cases and kernels may be longer. */
const MAX_SOURCE_LINES = 350
const MAX_TEST_OR_NATIVE_LINES = 600

test.each(readPackages().map((p) => p.folder))('the index of %s exports by name', (folder) => {
  const source = parseSource('index.ts', readText(`packages/${folder}/src/index.ts`))
  const unnamed = source.statements.filter(
    (s) => ts.isExportDeclaration(s) && !(s.exportClause && ts.isNamedExports(s.exportClause)),
  )
  expect(unnamed.map((s) => s.getText())).toEqual([])
})

test('no file is too long', () => {
  const limit = (path: string) => (/\.test\.ts$|\/test\//.test(path) ? MAX_TEST_OR_NATIVE_LINES : MAX_SOURCE_LINES)
  const long = [
    ...scripts.filter((path) => lines(path) > limit(path)),
    ...native.filter((path) => lines(path) > MAX_TEST_OR_NATIVE_LINES),
  ]
  expect(long.map((path) => `${path}: ${lines(path)} lines`)).toEqual([])
})

test('source files are named in kebab-case (native sources may use underscores)', () => {
  const name = (path: string) => path.slice(path.lastIndexOf('/') + 1)
  const odd = [
    ...scripts.filter((path) => !/^[a-z0-9.-]+$/.test(name(path))),
    ...native.filter((path) => !/^[a-z0-9._-]+$/.test(name(path))),
  ]
  expect(odd).toEqual([])
})

function lines(path: string): number {
  return readText(path).split('\n').length - 1
}
