import { expect, test } from 'vitest'
import { countTests, formatCounts } from '../scripts/lib/test-counts.mjs'

const file = (status: string, ...statuses: string[]) => ({ status, assertionResults: statuses.map((s) => ({ status: s })) })

test('passed, failed and skipped tests are counted', () => {
  const testResults = [file('passed', 'passed', 'passed', 'pending'), file('failed', 'passed', 'failed', 'skipped', 'todo')]
  expect(formatCounts(countTests({ testResults }))).toBe('3 passed, 1 failed, 3 skipped')
})

test('a file that could not be loaded is a failure', () => {
  expect(countTests({ testResults: [file('failed'), file('passed', 'passed')] })).toEqual({ passed: 1, failed: 1, skipped: 0 })
})
