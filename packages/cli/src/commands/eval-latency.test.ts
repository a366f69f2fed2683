import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { modules, writeTestProfile } from '../testing/profiles.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
let prompts: string
beforeAll(async () => {
  await writeTestProfile(fixtures.quantized, 'budget')
  prompts = path.join(fixtures.folder, 'prompts.txt')
  await writeFile(prompts, 'the cat\n\n{"prompt": "a hat"}\n')
})
const flags = ['-n', '12', '--temp', '0', '--backend', 'reference', '-q']
const evaluate = (model: string, ...args: string[]) =>
  runCommand(['eval', 'latency', model, '--prompts', prompts, ...flags, ...args])

test('what run says of one request, at several targets', async () => {
  const args = ['--target-bits', '3.5,4', '--no-feedback', '--overhead-rounds', '2', '--texts', '2', '--json']
  const result = JSON.parse((await evaluate(fixtures.quantized, ...args)).stdout)
  expect(result).toMatchObject({ backend: 'reference', requests: 2, maxTokens: 12 })
  expect(result.targets.map(({ targetBits, method }: { targetBits: number; method: string }) => [targetBits, method])).toEqual([
    [3.5, 'budget'],
    [4, 'budget'],
  ])
  const [, four] = result.targets
  const ran = JSON.parse(
    (await runCommand(['run', fixtures.quantized, '-p', 'a hat', ...flags, '--target-bits', '4', '--no-feedback', '--json']))
      .stdout,
  )
  expect(four.answers[1].tokens).toEqual(ran.tokens.map(({ text, bits }: { text: string; bits: number }) => ({ text, bits })))
  expect(four.answers[1].prompt).toBe('a hat')
  expect(four.requests[1].effectiveBits).toBe(ran.effectiveBits)

  const { linears, weights, counts, bits } = four.histogram
  expect(linears).toEqual(modules)
  // The histogram holds all that effective bits are made of: 2 requests of 11 decode steps.
  const total = counts.flat(1).map((of: number[]) => of.reduce((sum, n) => sum + n, 0))
  expect(total.reduce((sum: number, n: number) => sum + n, 0)).toBe(2 * 11 * modules.length)
  const bitsRead = counts.map((buckets: number[][], i: number) =>
    buckets.reduce((sum, bucket) => sum + bucket.reduce((part, n, j) => part + n * bits[j] * weights[i], 0), 0),
  )
  const parameters = weights.reduce((sum: number, n: number) => sum + n, 0)
  const read = bitsRead.reduce((sum: number, n: number) => sum + n, 0)
  expect(read / (2 * 11 * parameters)).toBeCloseTo(four.effectiveBits.mean, 9)
  const { timeRatio, dynamicBits, staticBits, tokens } = four.selectorOverhead
  expect(timeRatio.low).toBeLessThanOrEqual(timeRatio.high)
  expect(Math.abs(dynamicBits - staticBits)).toBeLessThan(0.1)
  expect(tokens).toBe(12)
})

test('for people it is a row for each precision; originals have one', async () => {
  const { stdout } = await evaluate(fixtures.quantized, '--precision', '3,4')
  expect(stdout).toMatch(/^\| target bits \| .*\n\| .*\n\| +3 \| +3\.000 ± 0\.000 \| .* \| +– \|\n\| +4 \| +4\.000 ± 0\.000 \|/)
  const original = JSON.parse((await evaluate(fixtures.original, '--json')).stdout)
  expect(original.targets).toMatchObject([{ targetBits: null, method: null, histogram: null, selectorOverhead: null }])
})

test('prompts are required', async () => {
  const { code, stderr } = await runCommand(['eval', 'latency', fixtures.quantized])
  expect(stderr).toContain("required option '--prompts <file>' not specified")
  expect(code).toBe(2)
})
