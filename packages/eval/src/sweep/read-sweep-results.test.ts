import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, UnsupportedError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { exampleJob } from '../testing/example-job.js'
import { useTemporaryFolders } from '../testing/temporary-folder.js'
import { readSweepResults } from './read-sweep-results.js'
import { runSweep } from './run-sweep.js'

const makeFolder = useTemporaryFolders()
const made = async (keys: readonly string[]) => {
  const folder = await makeFolder()
  await runSweep({ folder, jobs: keys.map((key) => exampleJob(key)), execute: async () => ({}), version: '1' })
  return folder
}

test('results of the plan, in its order; without plan all, by name', async () => {
  const folder = await made(['b', 'a', 'old'])
  const plan = path.join(folder, 'plan.json')
  await writeFile(plan, JSON.stringify({ format: 'dpllm-sweep-plan', version: 1, jobs: ['b', 'later', 'a'] }))
  const { results, missing } = await readSweepResults(folder)
  expect(results.map(({ key }) => key)).toEqual(['b', 'a'])
  expect(missing).toEqual(['later'])
  await writeFile(plan, '{}')
  await expect(readSweepResults(folder)).rejects.toThrow(/plan\.json: format/)
})

test('what is no result is refused with its file and field', async () => {
  const folder = await made(['a'])
  const file = path.join(folder, 'results', 'a.json')
  const result = JSON.parse(await readFile(file, 'utf8'))
  const read = async (change: object) => {
    await writeFile(file, JSON.stringify({ ...result, ...change }))
    return await readSweepResults(folder)
  }
  await expect(read({ targetBits: 'four' })).rejects.toThrow(/a\.json: targetBits: /)
  await expect(read({ key: '../b' })).rejects.toBeInstanceOf(FileFormatError)
  await expect(read({ key: 'b' })).rejects.toThrow(/is the result of b/)
  await expect(read({ version: 2 })).rejects.toBeInstanceOf(UnsupportedError)
  await expect(readSweepResults(path.join(folder, 'nowhere'))).rejects.toThrow(/no such file or folder/)
})
