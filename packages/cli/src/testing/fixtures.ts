import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { quantizeModel } from '@dpllm/calibration'
import { afterAll, beforeAll } from 'vitest'
import { writeTinyModel } from './tiny-model.js'

export interface Fixtures {
  /** A temporary folder, removed after the file's tests. */
  readonly folder: string
  /** A tiny model, F32. */
  readonly original: string
  /** The same at 3 … 8 bits; without profiles. */
  readonly quantized: string
  /** A text of some hundred tokens. */
  readonly text: string
}

/** Models and a text for the tests of one file; there once its tests run. */
export function useFixtures(): Fixtures {
  const fixtures = { folder: '', original: '', quantized: '', text: '' }
  beforeAll(async () => {
    fixtures.folder = await mkdtemp(path.join(tmpdir(), 'dpllm-cli-'))
    fixtures.original = await writeTinyModel(fixtures.folder)
    fixtures.quantized = path.join(fixtures.folder, 'quantized')
    await quantizeModel(fixtures.original, fixtures.quantized)
    fixtures.text = path.join(fixtures.folder, 'text.txt')
    await writeFile(fixtures.text, 'the cat and the hat sat on the mat. '.repeat(20))
  })
  afterAll(() => rm(fixtures.folder, { recursive: true, force: true }))
  return fixtures
}
