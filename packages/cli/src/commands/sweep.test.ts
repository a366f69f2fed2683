import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { parseSweep, readSweepResults, type SweepResult } from '@dpllm/eval'
import { beforeEach, expect, test } from 'vitest'
import { methods } from '../options/precision.js'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'
import { sweepBytes, writeTinySweep } from '../testing/sweeps.js'

const fixtures = useFixtures()
let results: string
beforeEach(async () => {
  results = path.join(fixtures.folder, 'results')
  await rm(results, { recursive: true, force: true })
  await rm(path.join(fixtures.quantized, 'profiles'), { recursive: true, force: true })
})
const sweep = (file: string, ...args: string[]) => runCommand(['sweep', file, '--results', results, ...args])
/** A result's command, as a shell would split it; no path of these tests is quoted. */
const wordsOf = ({ command }: SweepResult) => command.split(' ').slice(1)

test('one file measures everything; each result is what its command prints', async () => {
  const file = await writeTinySweep(fixtures)
  const { code, stdout, stderr } = await sweep(file)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\| model \| method +\| measured +\| budget \| target \| effective bits \| +result \|\n/)
  expect(stdout).toMatch(/\| tiny +\| budget +\| perplexity, cats +\| +5 \| +3\.5 \| +3\.\d{3} \| +perplexity [\d.]+ \|\n/)
  expect(stderr).toMatch(/^0 of 18 done · perplexity · tiny · unquantized · cats: begins\n/)
  expect(stderr).toContain(' · calibration · tiny · static, budget 5 · text.txt: done\n')

  const found = (await readSweepResults(results)).results
  const kinds = found.map(({ kind, label, targetBits }) => `${kind} ${label} ${targetBits}`)
  expect(kinds).toEqual([
    ...['perplexity', 'task'].map((kind) => `${kind} unquantized null`),
    ...['perplexity', 'task'].map((kind) => `${kind} uniform 4`),
    ...['budget', 'static'].flatMap((label) => [
      `calibration ${label} null`,
      ...[3.5, 4].flatMap((target) => ['perplexity', 'task', 'bits'].map((kind) => `${kind} ${label} ${target}`)),
    ]),
  ])
  for (const result of found.filter(({ kind, targetBits }) => kind !== 'calibration' && targetBits !== 3.5))
    expect(JSON.parse((await runCommand([...wordsOf(result), '-q'])).stdout)).toEqual(result.value)
  const answers = found.find(({ kind }) => kind === 'task')!.answers!
  expect((await readFile(path.join(results, answers), 'utf8')).split('\n')).toHaveLength(1 + 3 + 1)
})

test('a second start does nothing; after another entry it does that alone', async () => {
  await sweep(await writeTinySweep(fixtures, { methods: ['uniform'], tasks: [], bits: [] }))
  const json = async (file: string) => JSON.parse((await sweep(file, '--json', '-q')).stdout)
  const file = await writeTinySweep(fixtures, { methods: ['uniform'], tasks: [], bits: [] })
  expect(await json(file)).toMatchObject({ folder: results, jobs: 2, finished: 2, made: 0, failures: [] })
  await writeTinySweep(fixtures, { methods: ['uniform'], targets: [3, 4], tasks: [], bits: [] })
  const { stdout } = await sweep(file, '--dry-run')
  expect(stdout).toMatch(/^dpllm eval ppl \S+ --data \S+ --ctx 32 --chunks 4 --precision 3 --backend reference --json\n$/)
  expect(await json(file)).toMatchObject({ jobs: 3, finished: 3, made: 1 })
})

test('Ctrl-C says how to go on, and going on makes the same bytes', async () => {
  const file = await writeTinySweep(fixtures)
  expect((await sweep(file, '-q')).code).toBe(0)
  const wanted = await sweepBytes(results)
  await rm(results, { recursive: true })
  await rm(path.join(fixtures.quantized, 'profiles'), { recursive: true })
  const running = startCommand('sweep', file, '--results', results, '-q')
  const count = async () => (await readdir(path.join(results, 'results')).catch(() => [])).length
  while ((await count()) < 4) await new Promise((go) => setTimeout(go, 1))
  running.interrupt()
  const { code, stderr } = await running.done
  expect(code).toBe(130)
  expect(stderr).toBe(`dpllm: interrupted; the same command goes on with ${results}\n`)
  expect(await count()).toBeLessThan(Object.keys(wanted).length)
  expect(await readdir(path.join(results, 'claims'))).toEqual([])
  expect((await sweep(file, '-q')).code).toBe(0)
  expect(await sweepBytes(results)).toEqual(wanted)
})

test('latency is measured last; its results say that they hold times', async () => {
  const file = await writeTinySweep(fixtures, {
    methods: ['budget'],
    tasks: [],
    bits: [],
    targets: [4],
    latency: [{ label: 'cats', prompts: path.join(fixtures.folder, 'prompts.txt'), maxTokens: 4, overheadRounds: 1 }],
  })
  const { stderr } = await sweep(file)
  const begun = stderr.split('\n').flatMap((line) => / · (\w+) · .*: begins$/.exec(line)?.[1] ?? [])
  expect(begun).toEqual(['perplexity', 'calibration', 'perplexity', 'latency', 'latency'])
  const { results: found } = await readSweepResults(results)
  expect(found.filter(({ deterministic }) => !deterministic).map(({ kind }) => kind)).toEqual(['latency', 'latency'])
  expect(found.at(-1)?.value).toMatchObject({ targets: [{ targetBits: 4, method: 'budget' }] })
})

test('variables of flags do not change what jobs measure', async () => {
  const file = await writeTinySweep(fixtures, { methods: ['uniform'], tasks: [], bits: [] })
  expect((await sweep(file, '-q')).code).toBe(0)
  const wanted = await sweepBytes(results)
  await rm(results, { recursive: true })
  process.env.DPLLM_CHUNKS = '1'
  process.env.DPLLM_PROTOCOL = 'papers'
  try {
    expect((await sweep(file, '-q')).code).toBe(0)
    expect(process.env.DPLLM_PROTOCOL).toBe('papers')
  } finally {
    delete process.env.DPLLM_CHUNKS
    delete process.env.DPLLM_PROTOCOL
  }
  expect(await sweepBytes(results)).toEqual(wanted)
})

test('a job that fails is named, and what needs it; the others are done', async () => {
  const file = await writeTinySweep(fixtures, { methods: ['uniform', 'budget'], tasks: [], bits: [], calibration: { text: '' } })
  expect((await sweep(file)).stderr).toMatch(/^dpllm: .*sweep\.json: calibration\.text: /)
  const short = path.join(fixtures.folder, 'prompts.txt')
  await writeTinySweep(fixtures, { methods: ['uniform', 'budget'], tasks: [], bits: [], calibration: { text: short } })
  const { code, stderr } = await sweep(file, '-q')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^dpllm: 1 of 5 jobs failed, 2 more need their results: calibration-tiny-budget-budget-5-\S+: calibrationText: expected at least two windows/,
  )
  expect((await readSweepResults(results)).missing).toHaveLength(3)
})

test('programs of models run only where that is allowed', async () => {
  const tasks = [{ task: 'mbpp', data: fixtures.text }]
  const { code, stderr } = await sweep(await writeTinySweep(fixtures, { tasks }))
  expect(stderr).toMatch(/^dpllm: mbpp runs programs that the model writes.*--allow-code/)
  expect(code).toBe(2)
})

test('the example is a sweep, and the reader is told which entry of another is wrong', async () => {
  const example = new URL('../../../../examples/sweep/sweep.json', import.meta.url)
  expect(parseSweep(JSON.parse(await readFile(example, 'utf8')), 'sweep.json', methods).methods).toHaveLength(4)
  const { code, stderr } = await sweep(await writeTinySweep(fixtures, { methods: ['budget', 'magic'] }))
  expect(stderr).toMatch(/^dpllm: .*sweep\.json: methods\.1: expected one of uniform, .*, found magic/)
  expect(code).toBe(1)
})
