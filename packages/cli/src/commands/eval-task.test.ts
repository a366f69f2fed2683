import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { writeTestProfile } from '../testing/profiles.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
let gsm8k: string
let piqa: string
beforeAll(async () => {
  await writeTestProfile(fixtures.quantized, 'budget')
  const folder = path.join(fixtures.folder, 'gsm')
  await mkdir(folder)
  const rows = Array.from({ length: 6 }, (_, i) => ({ question: `one and ${i}?`, answer: `it is ${i}. #### ${i}` }))
  gsm8k = path.join(folder, 'test.jsonl')
  await writeFile(gsm8k, rows.map((row) => JSON.stringify(row)).join('\n'))
  await writeFile(path.join(folder, 'train.jsonl'), JSON.stringify({ question: 'a?', answer: '#### 1' }))
  piqa = path.join(fixtures.folder, 'piqa.jsonl')
  await writeFile(
    piqa,
    ['the cat', 'the hat', 'a mat']
      .map((goal) => JSON.stringify({ goal, sol1: 'sat', sol2: 'the the the', label: 0 }))
      .join('\n'),
  )
})
const task = (name: string, model: string, data: string, ...args: string[]) =>
  runCommand(['eval', 'task', name, model, '--data', data, '--backend', 'reference', '-q', ...args])
const short = ['--shots', '1', '-n', '8']

test('a table with standard errors, and questions with answers to read', async () => {
  const { code, stdout, stderr } = await task('gsm8k', fixtures.original, gsm8k, ...short, '--limit', '3', '--show', '1')
  expect(code).toBe(0)
  expect(stdout).toContain('--- 1: prompt (')
  expect(stdout).toContain(
    'Question: a?\nAnswer: #### 1\n\nQuestion: one and 0?\nAnswer:\n--- response (8 tokens, 32.000 bits)\n',
  )
  expect(stdout).not.toContain('--- 2: prompt (')
  expect(stdout).toMatch(/\| gsm8k +\| exact_match,strict +\| +0\.0000 \| +0\.0000 \| +3 \| +32\.000 \|\n/)
  expect(stderr).toBe('3 of 3 prompts were longer than the context of 64 tokens and lost their beginning\n')
  expect((await task('gsm8k', fixtures.original, gsm8k, '--shots', '0', '-n', '8', '--limit', '1')).stderr).toBe('')
})

test('log-likelihoods of choices are those that perplexity finds', async () => {
  const output = path.join(fixtures.folder, 'piqa-results.jsonl')
  const { stdout } = await task('piqa', fixtures.original, piqa, '--json', '--results', output)
  expect(JSON.parse(stdout)).toMatchObject({ task: 'piqa', samples: 3, effectiveBits: 32, truncated: 0 })
  const [, first] = (await readFile(output, 'utf8')).split('\n').map((line) => (line ? JSON.parse(line) : undefined))
  const total = async (text: string) => {
    const file = path.join(fixtures.folder, 'whole.txt')
    await writeFile(file, text)
    const flags = ['--protocol', 'strided', '--ctx', '64', '--stride', '64', '--backend', 'reference', '-q', '--json']
    const { tokens, perplexity } = JSON.parse(
      (await runCommand(['eval', 'ppl', fixtures.original, '--data', file, ...flags])).stdout,
    )
    return -tokens * Math.log(perplexity)
  }
  const context = 'Question: the cat\nAnswer:'
  const before = await total(context)
  for (const { continuation, logLikelihood } of first.choices) {
    expect(logLikelihood).toBeCloseTo((await total(context + continuation)) - before, 3)
  }
})

test('precisions: prompts and log-likelihoods at the most bits, decoding at the target, scoring if asked', async () => {
  const json = async (...args: string[]) =>
    JSON.parse((await task(args[0], fixtures.quantized, args[1], '--json', ...args.slice(2))).stdout)
  const target = ['--target-bits', '4', '--limit', '2']
  const decoded = await json('gsm8k', gsm8k, ...short, ...target)
  expect(decoded.effectiveBits).toBeGreaterThan(3)
  expect(decoded.effectiveBits).toBeLessThan(5)
  expect((await json('piqa', piqa, ...target)).effectiveBits).toBe(5)
  const scored = await json('piqa', piqa, ...target, '--dynamic-scoring')
  expect(scored.effectiveBits).toBeLessThan(5)
  expect(await json('piqa', piqa, '--precision', '3')).toMatchObject({ effectiveBits: 3 })
})

test('Ctrl-C, and the same command again, make the same bytes; another run’s file is refused', async () => {
  const [whole, stopped] = ['whole.jsonl', 'stopped.jsonl'].map((name) => path.join(fixtures.folder, name))
  const flags = (output: string) => ['--results', output, '--json', ...short, '--target-bits', '4']
  const wanted = await task('gsm8k', fixtures.quantized, gsm8k, ...flags(whole))
  const common = ['eval', 'task', 'gsm8k', fixtures.quantized, '--data', gsm8k, '--backend', 'reference', '-q', '--show', '1']
  const running = startCommand(...common, ...flags(stopped))
  while (!(await readFile(stopped, 'utf8').catch(() => '')).includes('\n{"id"')) await new Promise((go) => setTimeout(go, 1))
  running.interrupt()
  const ended = await running.done
  if (ended.code !== 0) {
    expect(ended.code).toBe(130)
    expect(ended.stderr).toMatch(/interrupted; the same command goes on with .*stopped\.jsonl/)
    expect((await readFile(stopped, 'utf8')).length).toBeLessThan((await readFile(whole, 'utf8')).length)
  }
  expect(await task('gsm8k', fixtures.quantized, gsm8k, ...flags(stopped))).toEqual(wanted)
  expect(await readFile(stopped, 'utf8')).toBe(await readFile(whole, 'utf8'))

  for (const [args, reason] of [
    [['--precision', '4'], /another: .* is .*, not/],
    [['--target-bits', '4', '--shots', '0'], /samples is/],
  ] as const) {
    const { code, stderr } = await task('gsm8k', fixtures.quantized, gsm8k, '--results', whole, ...short, ...args)
    expect(stderr).toMatch(reason)
    expect(code).toBe(1)
  }
  const other = await task('gsm8k', fixtures.original, gsm8k, '--results', whole, ...short)
  expect(other.stderr).toMatch(/model is/)
})

test.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'programs run only where that is allowed',
  async () => {
    const data = path.join(fixtures.folder, 'mbpp.jsonl')
    const row = { task_id: 11, text: 'Add.', code: 'def f(): pass', test_list: ['assert f()', 'assert 1', 'assert 2'] }
    await writeFile(data, JSON.stringify(row))
    const refused = await task('mbpp', fixtures.original, data, '--shots', '0')
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/--allow-code/) })
    const { code, stdout } = await task('mbpp', fixtures.original, data, '--shots', '0', '-n', '4', '--allow-code', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).scores).toEqual([{ metric: 'pass@1', value: 0, standardError: 0 }])
  },
  30_000,
)

test.each([
  [['nothing'], 2, /Allowed choices are gsm8k, bbh, math500, mbpp, arc, hellaswag, piqa, winogrande, lambada/],
  [['gsm8k', '--limit', '0'], 2, /whole number of at least 1/],
  [['arc'], 1, /row 1, choices|row 1, text/],
  [['gsm8k', '--shots', '9'], 1, /examples: expected at least 9 rows/],
])('%j is refused', async ([name, ...args], wanted, message) => {
  const { code, stdout, stderr } = await task(name, fixtures.original, gsm8k, ...args)
  expect(stderr).toMatch(message)
  expect(code).toBe(wanted)
  expect(stdout).toBe('')
})
