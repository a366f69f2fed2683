import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { writeTestProfile } from '../testing/profiles.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
beforeAll(async () => {
  await writeTestProfile(fixtures.quantized, 'static')
  await writeTestProfile(fixtures.quantized, 'dp-llm')
  await writeTestProfile(fixtures.quantized, 'budget')
})
const evaluate = (...args: string[]) =>
  runCommand(['eval', 'ppl', '--data', fixtures.text, '--ctx', '32', '--backend', 'reference', '-q', ...args])

test('--json prints perplexity, standard error, tokens and effective bits', async () => {
  const { code, stdout, stderr } = await evaluate(fixtures.original, '--protocol', 'papers', '--chunks', '3', '--json')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({
    perplexity: expect.any(Number),
    standardError: expect.any(Number),
    tokens: 3 * 31,
    effectiveBits: 32,
    chunks: 3,
    contextLength: 32,
    protocol: 'papers',
  })
  expect(result.chunkLosses).toHaveLength(3)
  const mean = result.chunkLosses.reduce((a: number, b: number) => a + b) / 3
  expect(Math.exp(mean)).toBeCloseTo(result.perplexity, 6)
})

test('precisions, methods and batch sizes', async () => {
  const json = async (...args: string[]) =>
    JSON.parse((await evaluate(fixtures.quantized, '--json', '--chunks', '2', ...args)).stdout)
  const three = await json('--precision', '3')
  expect(three).toMatchObject({ effectiveBits: 3, method: 'uniform', feedback: false })
  const target = await json('--target-bits', '3', '--method', 'uniform', '--batch-size', '1')
  expect(target).toEqual({ ...three, targetBits: 3 })
  const all = await json()
  expect(all).toMatchObject({ effectiveBits: 8, feedback: false })
  expect(all.method).toBeUndefined()
  expect(all.perplexity).not.toBe(three.perplexity)
  expect(all.tokens).toBe(2 * 15)
})

test.each([
  ['static', '4', false],
  ['dp-llm', '3.5', true],
  ['budget', '3.5', true],
])('--method %s takes the profile made by it, with feedback where that can move', async (method, bits, feedback) => {
  const json = async (...args: string[]) =>
    JSON.parse((await evaluate(fixtures.quantized, '--json', '--method', method, '--target-bits', bits, ...args)).stdout)
  const held = await json()
  expect(held).toMatchObject({ method, targetBits: Number(bits), feedback })
  const free = await json('--no-feedback')
  expect(free).toMatchObject({ method, targetBits: Number(bits), feedback: false })
  if (method === 'static') expect(free).toEqual(held)
  else expect(Math.abs(held.effectiveBits - 3.5)).toBeLessThan(Math.abs(free.effectiveBits - 3.5))
})

test('for people it is two lines', async () => {
  const { stdout } = await evaluate(fixtures.original)
  expect(stdout).toMatch(
    /^perplexity [\d.]+ ± [\d.]+ at 32\.000 effective bits\n\d+ tokens scored in \d+ chunks of 32 \(llama\.cpp\)\n$/,
  )
})

test('documents of rows, and strided windows', async () => {
  const rows = path.join(fixtures.folder, 'documents.jsonl')
  await writeFile(rows, ['the cat', 'sat on', 'the mat'].map((page) => JSON.stringify({ page })).join('\n'))
  const text = path.join(fixtures.folder, 'joined.txt')
  await writeFile(text, 'the cat sat on')
  const json = async (data: string, ...args: string[]) => {
    const common = ['--backend', 'reference', '-q', '--json', '--protocol', 'strided', '--ctx', '8', '--stride', '2']
    return JSON.parse((await runCommand(['eval', 'ppl', fixtures.original, '--data', data, ...common, ...args])).stdout)
  }
  const joined = await json(text)
  expect(await json(rows, '--field', 'page', '--separator', ' ', '--documents', '2')).toEqual(joined)
  expect(joined.chunkLosses).toHaveLength(joined.chunks)
  expect(joined.chunkTokens).toBeUndefined()
  expect((await json(text, '--characters', '7')).tokens).toBeLessThan(joined.tokens)
})

test('--reference: the divergence from the original falls with every bit, and is none from itself', async () => {
  const json = async (...args: string[]) =>
    JSON.parse((await evaluate(fixtures.quantized, '--json', '--chunks', '2', '--reference', ...args)).stdout)
  const [three, eight] = [await json(fixtures.original, '--precision', '3'), await json(fixtures.original, '--precision', '8')]
  expect(three.klDivergence.mean).toBeGreaterThan(10 * eight.klDivergence.mean)
  expect(three.topAgreement.mean).toBeLessThanOrEqual(eight.topAgreement.mean)
  expect(three).toMatchObject({ effectiveBits: 3, method: 'uniform', tokens: 2 * 15 })
  const alone = JSON.parse((await evaluate(fixtures.original, '--json', '--chunks', '2')).stdout)
  expect(three.referencePerplexity).toBeCloseTo(alone.perplexity, 3)
  expect(three.chunkLosses).toHaveLength(2)
  expect(Math.exp((three.chunkLosses[0] + three.chunkLosses[1]) / 2)).toBeCloseTo(three.perplexity, 3)
  expect(three.standardError).toBeGreaterThan(0)
  expect(three.nll).toBeUndefined()
  expect((await json(fixtures.quantized)).klDivergence.max).toBe(0)
  const { stdout } = await evaluate(fixtures.quantized, '--precision', '3', '--reference', fixtures.original)
  expect(stdout).toMatch(/^perplexity [\d.]+ at 3\.000 effective bits, reference [\d.]+\n/)
  expect(stdout).toMatch(
    /\nKL divergence [\d.]+ ± [\d.]+ nats \(median .*\)\nsame likeliest token [\d.]+ % ± [\d.]+ %\n\d+ tokens scored/,
  )
})

test.each([
  [['--method', 'magic'], 2, /Allowed choices are uniform, budget, dp-llm, static, llm-mq, hawq-v2, lsaq/],
  [['--method', 'lsaq', '--target-bits', '4'], 1, /^dpllm: method: expected uniform, or that of a profile of the model/],
  [['--method', 'budget'], 1, /^dpllm: targetBits: expected a number of bits, since method is budget/],
  [['--method', 'budget', '--precision', '4'], 2, /^dpllm: --precision BITS is --method uniform/],
  [['--method', 'uniform', '--target-bits', '3.5'], 2, /^dpllm: --method uniform takes a whole number of bits, not 3\.5/],
  [['--ctx', '65'], 1, /^dpllm: .*context/],
  [['--protocol', 'mine'], 2, /Allowed choices are llama\.cpp, papers, strided/],
])('%j is refused', async (args, wanted, message) => {
  const { code, stdout, stderr } = await evaluate(fixtures.quantized, ...args)
  expect(stderr).toMatch(message)
  expect(code).toBe(wanted)
  expect(stdout).toBe('')
})

test('the text is required', async () => {
  const { code, stderr } = await runCommand(['eval', 'ppl', fixtures.original])
  expect(stderr).toContain("required option '--data <file>' not specified")
  expect(code).toBe(2)
})
