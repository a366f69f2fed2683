import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { linearInfo, projectionEstimator, thresholdProfile } from '../precision/testing/example-profiles.js'
import { listProfiles } from './profile.js'
import { readProfile } from './read-profile.js'
import { writeProfile } from './write-profile.js'

const profile = thresholdProfile([linearInfo('a')], { estimatorOf: projectionEstimator })

test("a profile is found by its name, which stays inside the model's folder", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dpllm-profile-'))
  try {
    await writeProfile(folder, { ...profile, name: 'dp-llm-4.5' })
    expect(await listProfiles(folder)).toEqual(['dp-llm-4.5'])
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
