import { expect, test } from 'vitest'
import { checkResults } from './check-results.js'
import { compare } from './index.mjs'

test('dynamic precision meets its targets and errs less than chance at the same bits', async () => {
  checkResults(await compare())
  expect.hasAssertions()
})
