import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gradeMbpp, mbpp, programOf } from './mbpp.js'
import { createPythonRunner } from './python/create-python-runner.js'
import type { GenerationSample } from './task.js'

let folder: string
let file: string
const rowOf = (id: number) => ({
  task_id: id,
  text: `Add ${id}.`,
  code: `def add${id}(x):\r\n  return x + ${id}`,
  test_list: [1, 2, 3].map((x) => `assert add${id}(${x}) == ${x + id}`),
})
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-mbpp-'))
  file = path.join(folder, 'mbpp.jsonl')
  await writeFile(file, [1, 2, 3, 4, 11, 12, 510, 511].map((id) => JSON.stringify(rowOf(id))).join('\n'))
})
afterAll(() => rm(folder, { recursive: true }))

test('the test split of the whole dataset is asked, with tasks 2, 3 and 4 before each', async () => {
  const samples = (await mbpp.load({ data: file, runProgram: async () => 'passed' })) as GenerationSample[]
  expect(samples.map(({ id }) => id)).toEqual(['11', '12', '510'])
  const question = ({ text, test_list }: ReturnType<typeof rowOf>) =>
    `You are an expert Python programmer, and here is your task: ${text} Your code should pass these tests:\n\n${test_list.join('\n')}\n[BEGIN]\n`
  const examples = [2, 3, 4].map((id) => `${question(rowOf(id))}${rowOf(id).code}\n[DONE]\n\n`)
  expect(samples[0].prompt).toBe(examples.join('') + question(rowOf(11)))
  await expect(mbpp.load({ data: file })).rejects.toThrow(/--allow-code/)
})

test.each([
  ['def f(): pass\n', 'def f(): pass\n'],
  ['\ndef f(): pass\n```\nmore', 'def f(): pass'],
  ['python\ndef f(): pass\n```', 'def f(): pass'],
])('the program of %j', (response, code) => {
  expect(programOf(response)).toBe(`from __future__ import annotations\n${code}`)
})

test.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'the gold program passes its tests, wrong ones do not',
  async () => {
    const { run } = await createPythonRunner()
    const { code, test_list } = rowOf(11)
    const score = async (response: string) => (await gradeMbpp(response, test_list, run)).scores['pass@1']
    expect(await score(`${code}\n`)).toBe(1)
    expect(await score(code.replace('+ 11', '+ 12'))).toBe(0)
    expect(await score('def add11(x): return')).toBe(0)
    expect(await score('no program')).toBe(0)
    expect(await score('import sys; sys.exit(0)')).toBe(0)
  },
  60_000,
)
