import { expect, test } from 'vitest'
import { exportCases } from './export-cases.js'

const folder = process.env.DPLLM_EXPORT_CASES

test.skipIf(!folder)('writes all operator cases to $DPLLM_EXPORT_CASES, for device-check', async () => {
  expect(await exportCases(folder!)).toBeGreaterThan(500)
})
