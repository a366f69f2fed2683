import { expect, test } from 'vitest'
import { listFiles, readText } from './support/repository.js'

const texts = listFiles().filter((path) =>
  /\.([cm]?[jt]s|json|ya?ml|md|sh|txt|c|cc|cpp|cu|h|hpp|cuh|inl|cmake)$|^\.ci\/|^\.npmrc$/.test(path),
)

test('the lock file names no registry', () => {
  const urls = readText('pnpm-lock.yaml').match(/.*https?:.*|.*tarball:.*/g) ?? []
  expect(urls).toEqual([])
})

test('no file holds a path of the machine it was written on', () => {
  const machinePath = /(?<![\w.~$})-])\/(work|root|home\/\w+|tmp\/models)\//
  const found = texts.flatMap((path) => linesMatching(path, machinePath))
  expect(found).toEqual([])
})

test('no file sets a registry', () => {
  const found = texts
    .filter((path) => !path.startsWith('test/'))
    .flatMap((path) => linesMatching(path, /^\s*(@[\w-]+:)?registry\s*[=:]|_authToken/))
  expect(found).toEqual([])
})

function linesMatching(path: string, pattern: RegExp): string[] {
  const lines = readText(path).split('\n')
  return lines.flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []))
}
