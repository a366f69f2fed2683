import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
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
  expect(three.effectiveBits).toBe(3)
  expect(await json('--target-bits', '3', '--method', 'uniform', '--batch-size', '1')).toEqual(three)
  const all = await json()
  expect(all.effectiveBits).toBe(8)
  expect(all.perplexity).not.toBe(three.perplexity)
  expect(all.tokens).toBe(2 * 15)
})

test('for people it is two lines', async () => {
  const { stdout } = await evaluate(fixtures.original)
  expect(stdout).toMatch(
    /^perplexity [\d.]+ ± [\d.]+ at 32\.000 effective bits\n\d+ tokens scored in \d+ chunks of 32 \(llama\.cpp\)\n$/,
  )
})

test.each([
  [['--method', 'magic'], 1, /^dpllm: method "magic": this version knows uniform and dp-llm\n$/],
  [['--method', 'dp-llm', '--target-bits', '4'], 1, /^dpllm: method: expected a model with a profile for this target/],
  [['--method', 'dp-llm', '--precision', '4'], 1, /^dpllm: method: expected uniform/],
  [['--method', 'uniform', '--target-bits', '3.5'], 1, /^dpllm: targetBits: expected a whole number/],
  [['--ctx', '65'], 1, /^dpllm: .*context/],
  [['--protocol', 'mine'], 2, /Allowed choices are llama\.cpp, papers/],
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
