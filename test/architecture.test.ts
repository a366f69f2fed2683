import { expect, test } from 'vitest'
import { arrows, checkArrows, reachedBuiltins } from './support/arrows.js'
import { readPackages } from './support/packages.js'

const packages = readPackages()
const byFolder = (folder: string) => packages.find((p) => p.folder === folder)!

test('every package of the table is there', () => {
  expect(packages.map((p) => p.folder)).toEqual(Object.keys(arrows).sort())
})

test('no import and no dependency points the wrong way', () => {
  expect(checkArrows(packages)).toEqual([])
})

test('the main entry of core and all of estimators run without Node', () => {
  expect(reachedBuiltins(byFolder('core'), 'src/index.ts')).toEqual([])
  expect(reachedBuiltins(byFolder('estimators'), 'src/index.ts')).toEqual([])
})

test('the Node entry of core is seen to use Node, so that the check above can fail', () => {
  expect(reachedBuiltins(byFolder('core'), 'src/node/index.ts')).not.toEqual([])
})
