import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gradeMath, math500 } from './math500.js'
import type { GenerationSample } from './task.js'

const final = (answer: string) => ` We compute.\nFinal Answer: The final answer is ${answer}. I hope it is correct.`

test.each([
  [final('$\\frac{1}{2}$'), 1, 1],
  [final('$0.5$'), 1, 1],
  [final('$x = 1/2$'), 1, 1],
  [' so $\\boxed{\\dfrac12}$', 0, 1],
  [' The answer is 0.5.', 0, 1],
  [final('$0.4999$'), 0, 0],
  [final('$2$'), 0, 0],
  [' I do not know', 0, 0],
])('%j is worth %i strictly and %i flexibly for one half', (response, strict, flexible) => {
  expect(gradeMath(response, '\\frac{1}{2}').scores).toEqual({ 'exact_match,strict': strict, 'exact_match,flexible': flexible })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-math-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('examples are other rows, or those of a file as they are', async () => {
  const rows = ['a', 'b', 'c'].map((p, i) => ({ problem: `${p}?`, solution: `So $\\boxed{${i}}$.`, answer: `${i}` }))
  const file = path.join(folder, 'test.jsonl')
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  const samples = (await math500.load({ data: file, shots: 2 })) as GenerationSample[]
  const solved = (p: string, i: number) =>
    `Problem:\n${p}?\n\nSolution: So $\\boxed{${i}}$.\nFinal Answer: The final answer is $${i}$. I hope it is correct.\n\n`
  expect(samples[0].prompt).toBe(`${solved('b', 1)}${solved('c', 2)}Problem:\na?\n\nSolution:`)
  expect(samples[2].prompt.startsWith(solved('a', 0) + solved('b', 1))).toBe(true)
  await expect(math500.load({ data: file })).rejects.toThrow(/examples: expected at least 3 rows/)

  const own = path.join(folder, 'own.jsonl')
  const answer = 'Two.\nFinal Answer: The final answer is $2$. I hope it is correct.'
  await writeFile(own, JSON.stringify({ problem: 'one?', solution: answer, answer: '2' }))
  const [first] = (await math500.load({ data: file, examples: own, shots: 1 })) as GenerationSample[]
  expect(first.prompt).toBe(`Problem:\none?\n\nSolution: ${answer}\n\nProblem:\na?\n\nSolution:`)
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('all gold answers score 100 %, in the words of the solution too', async () => {
  const samples = (await math500.load({ data: path.join(data!, 'math500', 'test.jsonl') })) as GenerationSample[]
  expect(samples).toHaveLength(500)
  for (const { target, grade } of samples) {
    expect(Object.values((await grade(final(`$${target}$`))).scores), target).toEqual([1, 1])
    expect((await grade(` so \\boxed{${target}} it is`)).scores['exact_match,flexible'], target).toBe(1)
    for (const other of ['1234567.5', 'x+1234567', '(7,7,7,7,7)'])
      expect(Object.values((await grade(final(other))).scores), target).toEqual([0, 0])
  }
})
