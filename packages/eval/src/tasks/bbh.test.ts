import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bbh, gradeBbh } from './bbh.js'
import type { GenerationSample } from './task.js'

test.each([
  ['… So the answer is (A).', '(A)', 1],
  ['so the answer is True.\n', 'True', 1],
  ['the answer is ] ] >.', '] ] >', 1],
  // The harness takes everything but the last character of the line.
  ['So the answer is (A)', '(A)', 0],
  ['the answer is (B). No, the answer is (A).', '(A)', 0],
  ['The answer: (A).', '(A)', 0],
  ['So the answer is Yes.', 'yes', 0],
  ['', '(A)', 0],
])('%j against %j is worth %i', (response, target, score) => {
  expect(gradeBbh(response, target).scores).toEqual({ exact_match: score })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-bbh-'))
  for (const name of ['bbh', 'cot-prompts']) await mkdir(path.join(folder, name))
  for (const name of ['one', 'two']) {
    const examples = ['a', 'b', 'c'].map((letter) => ({ input: `${name} ${letter}?`, target: letter }))
    await writeFile(path.join(folder, 'bbh', `${name}.json`), JSON.stringify({ examples }))
    const questions = ['x', 'y', 'z'].map((q) => `Q: ${q}?\nA: Let's think step by step.\nIt is ${q}. So the answer is ${q}.`)
    await writeFile(
      path.join(folder, 'cot-prompts', `${name}.txt`),
      `A warning.\n-----\nAbout ${name}.\n\n${questions.join('\n\n')}`,
    )
  }
})
afterAll(() => rm(folder, { recursive: true }))

test('a prompt is the description, the examples and the question', async () => {
  const samples = (await bbh.load({ data: folder, shots: 2 })) as GenerationSample[]
  expect(samples[0].prompt).toBe(
    "About one.\n\nQ: x?\nA: Let's think step by step.\nIt is x. So the answer is x.\n\n" +
      "Q: y?\nA: Let's think step by step.\nIt is y. So the answer is y.\n\nQ: one a?\nA: Let's think step by step.\n",
  )
  // Subtasks take turns, so that a limit reaches all of them.
  expect(samples.map(({ id }) => id)).toEqual(['one/1', 'two/1', 'one/2', 'two/2', 'one/3', 'two/3'])
  const alone = await bbh.load({ data: path.join(folder, 'bbh', 'two.json') })
  expect(alone.map(({ group }) => group)).toEqual(['two', 'two', 'two'])
  await expect(bbh.load({ data: folder, shots: 4 })).rejects.toThrow(/shots: expected at most 3/)
  await expect(bbh.load({ data: path.join(folder, 'bbh', 'none.json') })).rejects.toThrow(/no such file/)
  await expect(bbh.load({ data: folder, examples: path.join(folder, 'bbh') })).rejects.toThrow(/one\.txt/)
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('all gold answers of the 27 subtasks score 100 %', async () => {
  const samples = (await bbh.load({ data: path.join(data!, 'bbh') })) as GenerationSample[]
  expect(samples).toHaveLength(6511)
  expect(new Set(samples.map(({ group }) => group)).size).toBe(27)
  for (const { target, prompt, grade } of samples) {
    expect((await grade(`So the answer is ${target}.`)).scores.exact_match, target).toBe(1)
    expect(prompt.match(/\nA: Let's think step by step\.\n/g)).toHaveLength(4)
    expect(prompt).not.toMatch(/BENCHMARK|-----/)
  }
})
