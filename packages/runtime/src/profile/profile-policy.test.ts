import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FileFormatError, pairThresholds, THRESHOLDS } from '@dpllm/core'
import { expect, test } from 'vitest'
import type { LinearInfo } from '../model/linears.js'
import { type Profile, readProfile, writeProfile } from './profile.js'
import { profilePolicy } from './profile-policy.js'

const matrix = { dtype: 'f32' as const, shape: [1, 2], data: Float32Array.of(1, -0.5) }
const profile: Profile = {
  name: 'hybrid',
  projections: new Map([['b.3-4.projection', matrix]]),
  data: {
    format: 1,
    method: 'dp-llm',
    memoryBudget: 5,
    maxBits: { a: 5, b: 5, c: 5, d: 5 },
    estimator: 'projection',
    targets: [
      {
        targetBits: 3.5,
        measuredBits: 3.5,
        linears: {
          a: { low: 3, high: 4, threshold: 2, estimator: { kind: 'linear', slope: 0.5, intercept: -1 } },
          b: { low: 3, high: 4, threshold: 3 },
          c: { low: 4, high: 5, threshold: 4, estimator: { kind: 'exact' } },
          d: { low: 3, high: 3, threshold: null, estimator: { kind: 'linear', slope: 1, intercept: 0 } },
        },
      },
    ],
    provenance: {},
  },
}
const linear = (module: string): LinearInfo => ({ module, rows: 2, cols: 2, minBits: 3, maxBits: 5 })

test('every linear may have an estimator of its own', () => {
  const { estimators, thresholds } = profilePolicy(profile, 3.5, ['a', 'b', 'c', 'd'].map(linear))
  expect(estimators).toEqual([
    { kind: 'linear', slope: 0.5, intercept: -1 },
    { kind: 'projection', matrix },
    { kind: 'exact', low: 4, high: 5 },
    { kind: 'none' },
  ])
  expect(thresholds.subarray(0, THRESHOLDS)).toEqual(pairThresholds(3, 4, 2))
})

test('they are read as they were written, and only the matrices that are needed', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dpllm-profile-'))
  try {
    await writeProfile(folder, profile)
    expect(await readProfile(folder, 'hybrid')).toEqual(profile)
    const { b: _, ...others } = profile.data.targets[0].linears
    const targets = [{ ...profile.data.targets[0], linears: others }]
    await writeProfile(folder, { name: 'no-matrix', projections: new Map(), data: { ...profile.data, targets } })
    expect((await readProfile(folder, 'no-matrix')).projections.size).toBe(0)
    expect(await readdir(path.join(folder, 'profiles'))).not.toContain('no-matrix.safetensors')

    const file = path.join(folder, 'profiles', 'hybrid.json')
    const text = await readFile(file, 'utf8')
    for (const [from, to] of [
      ['"kind": "linear"', '"kind": "cubic"'],
      ['"slope": 0.5', '"slope": null'],
      ['"intercept": -1', '"intercept": "x"'],
    ]) {
      expect(text).toContain(from)
      await writeFile(file, text.replace(from, to))
      await expect(readProfile(folder, 'hybrid')).rejects.toThrow(FileFormatError)
      await expect(readProfile(folder, 'hybrid')).rejects.toThrow(/targets\.0\.linears\.a\.estimator/)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
