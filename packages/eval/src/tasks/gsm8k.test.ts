import path from 'node:path'
import { expect, test } from 'vitest'
import { gradeGsm8k, gsm8k } from './gsm8k.js'
import type { GenerationSample } from './task.js'

const gold = 'She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 1,018'

test.each([
  [' So 1018.\n#### 1018', 1, 1],
  ['#### 1,018\n\n', 1, 1],
  ['#### 1018.', 1, 1],
  ['It is $1,018', 0, 1],
  ['It is 1018.', 0, 1],
  ['#### $1018', 0, 1],
  // The first #### counts, and the last number.
  ['#### 1018\n\nThat is 5 more', 1, 0],
  ['#### 5\n#### 1018', 0, 1],
  ['#### 1018.5', 0, 0],
  ['#### -1018', 0, 0],
  ['####1018', 0, 1],
  ['1018 or 1019', 0, 0],
  ['', 0, 0],
])('%j is worth %i strictly and %i flexibly', (response, strict, flexible) => {
  const { scores } = gradeGsm8k(response, gold)
  expect(scores).toEqual({ 'exact_match,strict': strict, 'exact_match,flexible': flexible })
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('all gold answers score 100 %, no answer is any other question’s', async () => {
  const file = path.join(data!, 'gsm8k', 'test.jsonl')
  const samples = (await gsm8k.load({ data: file })) as GenerationSample[]
  expect(samples).toHaveLength(1319)
  for (const sample of samples) {
    const { scores } = await sample.grade(` ${sample.target}`)
    expect(Object.values(scores)).toEqual([1, 1])
    expect(Object.values((await sample.grade('#### 123456789')).scores)).toEqual([0, 0])
  }
  // Examples are the harness's: random.Random(1234).sample(train, 5) for one question after another.
  const [first] = samples
  expect(first.prompt.split('Question: ')).toHaveLength(7)
  expect(first.prompt).toMatch(/\n#### [\d,]+\n\nQuestion: Janet’s ducks lay 16 eggs per day.*\nAnswer:$/s)
  expect(samples[1].prompt.slice(0, 200)).not.toBe(first.prompt.slice(0, 200))
  const [none] = (await gsm8k.load({ data: file, shots: 0 })) as GenerationSample[]
  expect(first.prompt.endsWith(none.prompt)).toBe(true)
})
