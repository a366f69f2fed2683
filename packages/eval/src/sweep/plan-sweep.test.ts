import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { writeModelFolder } from '../testing/model-folder.js'
import { useTemporaryFolders } from '../testing/temporary-folder.js'
import { planSweep } from './plan-sweep.js'
import { parseSweep } from './sweep-file.js'
import { describeJob, shellCommand } from './sweep-job.js'

const makeFolder = useTemporaryFolders()
let folder: string
beforeEach(async () => {
  folder = await makeFolder()
  await writeModelFolder(at('tiny'), 1)
  await writeModelFolder(at('original'), 2)
  for (const name of ['wiki.txt', 'train.txt', 'gsm.jsonl', 'prompts.txt']) await writeFile(at(name), `text of ${name}`)
})
const at = (name: string) => path.join(folder, name)

const plan = (change: object = {}) => {
  const sweep = {
    format: 'dpllm-sweep',
    version: 1,
    models: [{ label: 'Tiny 1B', path: at('tiny'), original: at('original') }],
    methods: ['uniform', { method: 'budget', feedback: false }, 'dp-llm'],
    budgets: [4, 5],
    targets: [3, 3.5, 4.5],
    calibration: { text: at('train.txt'), samples: 4 },
    perplexity: [{ label: 'wiki', data: at('wiki.txt'), ctx: 32 }],
    run: { backend: 'reference' },
    ...change,
  }
  return planSweep(parseSweep(sweep, 'sweep.json', ['uniform', 'budget', 'dp-llm']), { folder: at('results') })
}
const rowsOf = (jobs: Awaited<ReturnType<typeof plan>>) =>
  jobs.map(({ kind, label, memoryBudget, targetBits }) => [kind, label, memoryBudget, targetBits])

test('every method, budget and target once; whole numbers for uniform, nothing above a budget', async () => {
  const jobs = await plan()
  const profiled = (label: string) => [
    ['calibration', label, 4, null],
    ...[3, 3.5].map((target) => ['perplexity', label, 4, target]),
    ['calibration', label, 5, null],
    ...[3, 3.5, 4.5].map((target) => ['perplexity', label, 5, target]),
  ]
  expect(rowsOf(jobs)).toEqual([
    ['perplexity', 'unquantized', null, null],
    ['perplexity', 'uniform', null, 3],
    ...profiled('budget'),
    ...profiled('dp-llm'),
  ])
  expect(new Set(jobs.map(({ key }) => key)).size).toBe(jobs.length)
  for (const { key } of jobs) expect(key).toMatch(/^(perplexity|calibration)-tiny-1b-[a-z0-9.-]+-[0-9a-f]{10}$/)
})

test('commands say everything, and profiles are named by what they are made from', async () => {
  const [original, uniform, calibration, three] = await plan()
  const text = `--data ${at('wiki.txt')} --ctx 32`
  expect(shellCommand(original.args)).toBe(`dpllm eval ppl ${at('original')} ${text} --backend reference --json`)
  expect(shellCommand(uniform.args)).toBe(`dpllm eval ppl ${at('tiny')} ${text} --precision 3 --backend reference --json`)
  const profile = calibration.args[calibration.args.indexOf('--name') + 1]
  expect(profile).toMatch(/^budget-4-[0-9a-f]{10}$/)
  expect(shellCommand(calibration.args)).toBe(
    `dpllm calibrate ${at('tiny')} --calib ${at('train.txt')} --samples 4 --seed 0 --method budget --memory-budget 4 --target 3,3.5 --backend reference --name ${profile} --json`,
  )
  expect(calibration).toMatchObject({ makes: at(`tiny/profiles/${profile}.json`), dataset: 'train.txt' })
  expect(shellCommand(three.args)).toBe(
    `dpllm eval ppl ${at('tiny')} ${text} --profile ${profile} --method budget --target-bits 3 --no-feedback --backend reference --json`,
  )
  expect(three.needs).toEqual([calibration.key])
  expect(describeJob(three)).toBe('perplexity · Tiny 1B · budget, budget 4 · 3 bits · wiki')
})

test('keys follow what inputs hold, not where they are', async () => {
  const keys = async (change?: object) => (await plan(change)).map(({ key }) => key)
  const before = await keys()
  await copyFile(at('wiki.txt'), at('moved.txt'))
  expect(await keys({ perplexity: [{ label: 'wiki', data: at('moved.txt'), ctx: 32 }] })).toEqual(before)
  await writeFile(at('moved.txt'), 'another text')
  const other = await keys({ perplexity: [{ label: 'wiki', data: at('moved.txt'), ctx: 32 }] })
  expect(other.map((key, i) => key === before[i])).toEqual(before.map((key) => key.startsWith('calibration')))
  await writeModelFolder(at('tiny'), 3)
  const changed = await keys()
  // The original is as it was.
  expect(changed.map((key, i) => key === before[i])).toEqual(before.map((_, i) => i === 0))
})

test('tasks keep answers, requests have a seed, latency comes last and alone', async () => {
  const jobs = await plan({
    methods: ['uniform', 'budget'],
    budgets: [5],
    targets: [4],
    perplexity: [],
    tasks: [{ task: 'gsm8k', data: at('gsm.jsonl'), limit: 3, maxTokens: 8 }],
    bits: [{ label: 'chat', prompts: at('prompts.txt') }],
    latency: [{ label: 'chat', prompts: at('prompts.txt'), texts: 1 }],
  })
  expect(rowsOf(jobs).map(([kind, label]) => `${kind} ${label}`)).toEqual([
    'task unquantized',
    'latency unquantized',
    'task uniform',
    'latency uniform',
    'calibration budget',
    'task budget',
    'bits budget',
    'latency budget',
  ])
  const [task, latency] = jobs
  expect(shellCommand(task.args)).toContain(
    `eval task gsm8k ${at('original')} --data ${at('gsm.jsonl')} --limit 3 --max-tokens 8`,
  )
  expect(task.answers).toBe(`answers/${task.key}.jsonl`)
  expect(task.workArgs).toEqual(['--results', path.join(at('results'), task.answers!)])
  expect(latency).toMatchObject({ last: true, lock: 'latency', deterministic: false })
  expect(shellCommand(jobs[6].args)).toContain('--seed 0')
  expect(jobs.slice(2).every(({ deterministic, kind }) => deterministic === (kind !== 'latency'))).toBe(true)
})

test('a profile that is there is used as it is', async () => {
  await mkdir(at('tiny/profiles'))
  const policy = { kind: 'static', allocations: [{ targetBits: 4, averageBits: 4, bits: { w: 4 } }] }
  const data = { format: 2, method: 'budget', memoryBudget: 4, maxBits: { w: 4 }, policy, provenance: {} }
  await writeFile(at('tiny/profiles/mine.json'), JSON.stringify(data))
  const mine = { methods: [{ method: 'budget', profile: 'mine' }], calibration: undefined, budgets: [] }
  const [, ...jobs] = await plan(mine)
  expect(rowsOf(jobs)).toEqual([3, 3.5].map((target) => ['perplexity', 'budget', 4, target]))
  expect(jobs[0].inputs).toHaveProperty('profile')
  await expect(plan({ ...mine, methods: [{ method: 'dp-llm', profile: 'mine' }] })).rejects.toThrow(
    /expected a profile of dp-llm/,
  )
})

test('a path that a shell would split is quoted', () => {
  expect(shellCommand(['eval', "my model's", '-n', '5'])).toBe("dpllm eval 'my model'\\''s' -n 5")
})
