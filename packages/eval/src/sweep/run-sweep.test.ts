import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createRandom } from '@dpllm/core'
import { expect, test } from 'vitest'
import { exampleJob } from '../testing/example-job.js'
import { useTemporaryFolders } from '../testing/temporary-folder.js'
import { readSweepResults } from './read-sweep-results.js'
import { runSweep, type SweepOptions } from './run-sweep.js'
import type { SweepJob } from './sweep-job.js'

const makeFolder = useTemporaryFolders()

const jobs: SweepJob[] = [
  exampleJob('calibration', { kind: 'calibration', lock: 'model' }),
  ...['a', 'b', 'c', 'd', 'e'].map((key) => exampleJob(key, { needs: ['calibration'] })),
  exampleJob('speed', { kind: 'latency', deterministic: false, last: true, lock: 'latency' }),
]

/** Counts what is done; each job takes a moment. */
function counting(milliseconds = 2) {
  const done: string[] = []
  let running = 0
  let most = 0
  const execute = async ({ key }: SweepJob) => {
    most = Math.max(most, ++running)
    await setTimeout(milliseconds)
    running--
    done.push(key)
    return { of: key, perplexity: key.length / 3 }
  }
  return { done, execute, most: () => most }
}

function meetingPoint() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

const run = (folder: string, execute: SweepOptions['execute'], more: Partial<SweepOptions> = {}) =>
  runSweep({ folder, jobs, execute, version: '1.2.3', ...more })

/** Name and bytes of every result, and of the plan. */
async function bytesOf(folder: string): Promise<string[]> {
  const results = path.join(folder, 'results')
  const names = (await readdir(results)).sort()
  const texts = await Promise.all(names.map(async (name) => `${name} ${await readFile(path.join(results, name), 'utf8')}`))
  return [...texts, await readFile(path.join(folder, 'plan.json'), 'utf8')]
}

test('every job once, what is needed first, and results without times', async () => {
  const folder = await makeFolder()
  const { done, execute } = counting()
  expect(await run(folder, execute)).toEqual({ jobs: 7, finished: 7, made: 7, failures: [], blocked: [] })
  expect(done).toEqual(['calibration', 'a', 'b', 'c', 'd', 'e', 'speed'])
  const { results, missing } = await readSweepResults(folder)
  expect(missing).toEqual([])
  expect(results.map(({ key }) => key)).toEqual(jobs.map(({ key }) => key))
  expect(results[1]).toEqual({
    format: 'dpllm-sweep-result',
    version: 1,
    key: 'a',
    kind: 'perplexity',
    command: 'dpllm eval ppl model --json',
    model: 'tiny',
    tables: null,
    method: 'budget',
    label: 'budget',
    memoryBudget: 5,
    targetBits: 3.5,
    dataset: 'text',
    deterministic: true,
    value: { of: 'a', perplexity: 1 / 3 },
    provenance: { version: '1.2.3', inputs: { data: 'd', model: 'm' } },
  })
  const record = JSON.parse(await readFile(path.join(folder, 'runs', 'a.json'), 'utf8'))
  expect(record).toMatchObject({ key: 'a', platform: `${process.platform} ${process.arch}`, seconds: expect.any(Number) })
  expect(await readdir(path.join(folder, 'claims'))).toEqual([])
  // What is there is not done again.
  expect(await run(folder, execute)).toMatchObject({ finished: 7, made: 0 })
  expect(done).toHaveLength(7)
})

test('ended ten times at random and gone on with, it ends with the bytes of an undisturbed one', async () => {
  const [whole, ended] = [await makeFolder(), await makeFolder()]
  await run(whole, counting().execute)
  const random = createRandom(5)
  const { done, execute } = counting(5)
  let ends = 0
  while (ends < 10) {
    const controller = new AbortController()
    const reason = new Error(`end ${ends}`)
    const running = run(ended, execute, { signal: controller.signal })
    void setTimeout(15 * random.uniform()).then(() => controller.abort(reason))
    const outcome = await running.catch((error) => error)
    // It came to its end before: that leaves something to do.
    if (outcome !== reason) await rm(path.join(ended, 'results', 'b.json'), { force: true })
    ends++
  }
  await run(ended, execute)
  expect(await bytesOf(ended)).toEqual(await bytesOf(whole))
  expect(new Set(done)).toEqual(new Set(jobs.map(({ key }) => key)))
})

test('workers at the same time share the jobs, and none is done twice', async () => {
  const [whole, shared] = [await makeFolder(), await makeFolder()]
  await run(whole, counting().execute)
  const { done, execute } = counting()
  // Both of these go on only when the other has begun: one worker alone would wait for ever.
  const meeting = new Map(['a', 'b'].map((key) => [key, meetingPoint()]))
  const together = async (job: SweepJob) => {
    meeting.get(job.key)?.resolve()
    if (meeting.has(job.key)) for (const { promise } of meeting.values()) await promise
    return await execute(job)
  }
  const summaries = await Promise.all([1, 2, 3].map(() => run(shared, together)))
  expect([...done].sort()).toEqual(jobs.map(({ key }) => key).sort())
  expect(summaries.map(({ finished }) => finished)).toEqual([7, 7, 7])
  expect(summaries.reduce((sum, { made }) => sum + made, 0)).toBe(7)
  expect([done[0], done[6]]).toEqual(['calibration', 'speed'])
  expect(await bytesOf(shared)).toEqual(await bytesOf(whole))
}, 30_000)

test('jobs of one lock run one at a time', async () => {
  const folder = await makeFolder()
  const { execute, most } = counting(20)
  const locked = ['x', 'y', 'z'].map((key) => exampleJob(key, { lock: 'same' }))
  await Promise.all([1, 2].map(() => run(folder, execute, { jobs: locked })))
  expect(most()).toBe(1)
}, 30_000)

test('a failure is told, ends what needs it and nothing else, and is tried again by the next start', async () => {
  const folder = await makeFolder()
  const seen: string[] = []
  const failing = async (job: SweepJob) => {
    seen.push(job.key)
    if (job.key === 'c') throw new Error('no room')
    return { of: job.key }
  }
  const told: unknown[] = []
  const summary = await run(folder, failing, {
    onJob: (job, state, message) => state === 'failed' && told.push(job.key, message),
  })
  expect(summary).toMatchObject({ jobs: 7, finished: 6, made: 6, failures: [{ key: 'c', message: 'no room' }], blocked: [] })
  expect(told).toEqual(['c', 'no room'])
  expect((await readSweepResults(folder)).missing).toEqual(['c'])
  expect(seen.filter((key) => key === 'c')).toHaveLength(1)
  await setTimeout(2)
  expect(await run(folder, counting().execute)).toMatchObject({ finished: 7, made: 1, failures: [] })
  expect(await readdir(path.join(folder, 'failures'))).toEqual([])

  const other = await makeFolder()
  const noProfile = await run(other, async ({ key }) => {
    if (key === 'calibration') throw new Error('infeasible')
    return {}
  })
  expect(noProfile).toMatchObject({ finished: 1, failures: [{ key: 'calibration' }], blocked: ['a', 'b', 'c', 'd', 'e'] })
})

test('a profile that is gone is made again if something still needs it', async () => {
  const folder = await makeFolder()
  const makes = path.join(folder, 'profile.json')
  const profile = exampleJob('calibration', { kind: 'calibration', makes })
  const [a, b] = ['a', 'b'].map((key) => exampleJob(key, { needs: ['calibration'] }))
  const done: string[] = []
  const execute = async ({ key }: SweepJob) => {
    done.push(key)
    if (key === 'calibration') await writeFile(makes, '{}')
    return {}
  }
  await run(folder, execute, { jobs: [profile, a] })
  await rm(makes)
  expect(await run(folder, execute, { jobs: [profile, a] })).toMatchObject({ finished: 2, made: 0 })
  expect(await run(folder, execute, { jobs: [profile, a, b] })).toMatchObject({ finished: 3, made: 2 })
  expect(done).toEqual(['calibration', 'a', 'calibration', 'b'])
})
