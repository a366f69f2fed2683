import { checkCase, operatorCases } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from './index.js'

const probe = probeCpu()
// Where a compiler is, the addon must be there: CI builds it before it tests.
const available = probe.ok ? probe.available : []

describe.skipIf(!probe.ok)('every operator case agrees with the reference', () => {
  for (const instructions of available) {
    for (const arithmetic of ['fast', 'precise'] as const) {
      for (const threads of [1, 2, 3]) {
        test(`${instructions} ${arithmetic} ${threads} threads`, async () => {
          await using backend = createCpuBackend({ instructions: instructions as 'auto', arithmetic, threads })
          const differences = []
          for (const c of operatorCases()) {
            for (const difference of await checkCase(backend, c, arithmetic)) differences.push({ case: c.name, ...difference })
          }
          expect(differences).toEqual([])
        }, 600_000)
      }
    }
  }
})
