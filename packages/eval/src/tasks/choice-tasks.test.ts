import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arc, hellaswag, piqa, winogrande } from './choice-tasks.js'
import { lambada } from './lambada.js'
import type { LikelihoodSample, Task } from './task.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-choices-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function load(task: Task, rows: readonly unknown[], source: { shots?: number; examples?: string } = {}) {
  const data = path.join(folder, `${task.name}-${Math.random()}.jsonl`)
  await writeFile(data, rows.map((row) => JSON.stringify(row)).join('\n'))
  return { samples: (await task.load({ data, ...source })) as LikelihoodSample[], data }
}
const likelihoods = (...sums: number[]) => sums.map((logLikelihood) => ({ logLikelihood, greedy: false }))

const question = { question: 'What is hot?', choices: { text: ['ice', 'fire', 'snow'], label: ['A', 'B', 'C'] }, answerKey: 'B' }

test('ARC: Hugging Face’s form and the dataset’s own', async () => {
  const listed = { ...question, choices: question.choices.text.map((text, i) => ({ text, label: `${i + 1}` })), answerKey: '2' }
  const { samples } = await load(arc, [question, listed])
  for (const { pairs, target } of samples) {
    expect(pairs).toEqual(
      ['ice', 'fire', 'snow'].map((c) => ({ context: 'Question: What is hot?\nAnswer:', continuation: ` ${c}` })),
    )
    expect(target).toBe('fire')
  }
  await expect(load(arc, [{ ...question, answerKey: 'D' }])).rejects.toThrow(/row 1, answerKey: expected one of A, B, C/)
  await expect(load(arc, [{ ...question, choices: 3 }])).rejects.toThrow(/row 1, text: expected a list of texts/)
})

test('acc takes the likeliest, acc_norm the likeliest per character, of equals the first', async () => {
  const [sample] = (await load(arc, [question])).samples
  expect(sample.grade(likelihoods(-9, -1, -9)).scores).toEqual({ acc: 1, acc_norm: 1 })
  // −3 and −3.9 over 3 and 4 characters: −1 and −0.975.
  expect(sample.grade(likelihoods(-3, -3.9, -9))).toEqual({ answer: 'fire', scores: { acc: 0, acc_norm: 1 } })
  expect(sample.grade(likelihoods(-4, -4, -4)).scores).toEqual({ acc: 0, acc_norm: 1 })
  const [fire] = (await load(arc, [{ ...question, answerKey: 'C' }])).samples
  expect(fire.grade(likelihoods(-5, -4, -4)).scores).toEqual({ acc: 0, acc_norm: 0 })
})

test('examples of choices', async () => {
  const { data } = await load(arc, [question])
  const { samples } = await load(arc, [{ ...question, question: 'What is cold?', answerKey: 'A' }], { shots: 1, examples: data })
  expect(samples[0].pairs[2]).toEqual({
    context: 'Question: What is hot?\nAnswer: fire\n\nQuestion: What is cold?\nAnswer:',
    continuation: ' snow',
  })
  await expect(load(arc, [question], { shots: 1 })).rejects.toThrow(/examples: expected a file/)
  await expect(load(arc, [question], { shots: 2, examples: data })).rejects.toThrow(/at least 2 rows/)
})

test('HellaSwag', async () => {
  const row = {
    activity_label: 'Cutting hay',
    ctx_a: 'A man walks. [step] He sits',
    ctx_b: 'the OLD dog',
    endings: ['barks. [title] At him', ' [substeps] sleeps  now.'],
    label: '1',
  }
  const [{ pairs, target }] = (await load(hellaswag, [row])).samples
  expect(pairs[0]).toEqual({ context: 'Cutting hay: A man walks. He sits The old dog', continuation: ' barks.. At him' })
  expect(target).toBe(' sleeps now.')
  await expect(load(hellaswag, [{ ...row, label: '2' }])).rejects.toThrow(/row 1, label: expected a whole number from 0 to 1/)
})

test('PIQA', async () => {
  const [{ pairs, target }] = (await load(piqa, [{ goal: 'Boil water', sol1: 'Heat it.', sol2: 'Cool it.', label: 0 }])).samples
  expect(pairs[1]).toEqual({ context: 'Question: Boil water\nAnswer:', continuation: ' Cool it.' })
  expect(target).toBe('Heat it.')
})

test('WinoGrande: the same end after either name', async () => {
  const row = { sentence: 'Anna liked Bea because _ was kind. ', option1: 'Anna', option2: 'Bea', answer: '2' }
  const [sample] = (await load(winogrande, [row])).samples
  expect(sample.pairs).toEqual(
    ['Anna', 'Bea'].map((name) => ({ context: `Anna liked Bea because ${name}`, continuation: ' was kind.' })),
  )
  expect(sample.grade(likelihoods(-2, -1))).toEqual({ answer: 'Bea', scores: { acc: 1 } })
  expect(winogrande.metrics).toEqual([{ name: 'acc', aggregate: 'mean' }])
})

test('LAMBADA: the last word', async () => {
  const [sample] = (await load(lambada, [{ text: "I don't care about signs" }])).samples
  expect(sample.pairs).toEqual([{ context: "I don't care about", continuation: ' signs' }])
  expect(sample.grade([{ logLikelihood: -1.5, greedy: true }]).scores).toEqual({ perplexity: -1.5, acc: 1 })
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('all of LAMBADA', async () => {
  const samples = (await lambada.load({ data: path.join(data!, 'lambada', 'lambada_test.jsonl') })) as LikelihoodSample[]
  expect(samples).toHaveLength(5153)
  for (const { pairs, target } of samples) expect(pairs[0].continuation).toBe(` ${target}`)
})
