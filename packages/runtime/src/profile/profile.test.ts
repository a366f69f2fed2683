import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { listProfiles, type Profile, readProfile, writeProfile } from './profile.js'

const profile: Profile = {
  name: 'dp-llm-4.5',
  projections: new Map([['a.3-4.projection', { dtype: 'f32', shape: [1, 2], data: Float32Array.of(1, -0.5) }]]),
  data: {
    format: 1,
    method: 'dp-llm',
    memoryBudget: 4.5,
    maxBits: { a: 4 },
    estimator: 'projection',
    targets: [{ targetBits: 3.5, measuredBits: 3.5, linears: { a: { low: 3, high: 4, threshold: 2 } } }],
    provenance: { seed: 0 },
  },
}

test('a profile is read as it was written; its name stays inside the folder', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dpllm-profile-'))
  try {
    await writeProfile(folder, profile)
    expect(await listProfiles(folder)).toEqual(['dp-llm-4.5'])
    expect(await readProfile(folder, 'dp-llm-4.5')).toEqual(profile)
    for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', 'C:x', '.hidden', 'a\n', 'x'.repeat(201)]) {
      await expect(writeProfile(folder, { ...profile, name })).rejects.toThrow(InvalidArgumentError)
    }
    expect(await readdir(folder)).toEqual(['profiles'])
    expect(await readdir(path.join(folder, 'profiles'))).toEqual(['dp-llm-4.5.json', 'dp-llm-4.5.safetensors'])
    expect(await listProfiles(path.join(folder, 'none'))).toEqual([])
    await expect(listProfiles(path.join(folder, 'profiles', 'dp-llm-4.5.json'))).rejects.toThrow(FileFormatError)
    await expect(readProfile(folder, '../profiles/dp-llm-4.5')).rejects.toThrow(/one of dp-llm-4\.5/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
