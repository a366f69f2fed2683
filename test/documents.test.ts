import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { listFiles, readText, root } from './support/repository.js'

const documents = listFiles().filter((path) => path.endsWith('.md') && !path.endsWith('CHANGELOG.md'))

test('links between documents lead somewhere', () => {
  const broken = documents.flatMap((path) => {
    const targets = [...readText(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1])
    return targets
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
      .map((t) => `${path}: ${t}`)
  })
  expect(broken).toEqual([])
})

test('files that documents name in code are there', () => {
  const named = /`((?:packages|docs|examples|scripts|test)\/[\w./-]*[\w-])`/g
  const missing = documents.flatMap((path) =>
    [...readText(path).matchAll(named)].filter(([, file]) => !existsSync(join(root, file))).map(([, file]) => `${path}: ${file}`),
  )
  expect(missing).toEqual([])
})

test('no figure is left to be filled in', () => {
  const open = documents.flatMap((path) => (readText(path).match(/.*TODO.*/g) ?? []).map((line) => `${path}: ${line.trim()}`))
  expect(open).toEqual([])
})
