import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { writeTestProfile } from '../testing/profiles.js'
import { runCommand } from '../testing/run-command.js'
import { loadOptions, precisionRequest } from './precision.js'

const fixtures = useFixtures()
beforeAll(async () => {
  for (const method of ['static', 'dp-llm', 'budget'] as const) await writeTestProfile(fixtures.quantized, method)
})
const reference = ['--backend', 'reference', '-q']

test.each([
  [{ precision: 4 }, { maxBits: 4, profile: false }],
  [
    { targetBits: 4, method: 'uniform' },
    { maxBits: 4, profile: false },
  ],
  [
    { targetBits: 4, method: 'uniform', maxBits: 6 },
    { maxBits: 6, profile: false },
  ],
  [
    { targetBits: 3.5, method: 'dp-llm' },
    { maxBits: undefined, profile: undefined, targetBits: 3.5, method: 'dp-llm' },
  ],
  [
    { targetBits: 4, profile: 'mine' },
    { maxBits: undefined, profile: 'mine', targetBits: 4, method: undefined },
  ],
] as const)('%j loads %j', (flags, wanted) => {
  expect(loadOptions(flags)).toEqual(wanted)
  expect(precisionRequest({ ...flags, feedback: false })).toMatchObject({
    ...('method' in flags && { method: flags.method }),
    feedback: false,
  })
})

test.each([
  ['uniform', '4', 'the same'],
  ['static', '4', 'the same'],
  ['dp-llm', '3.5', 'held'],
  ['budget', '3.5', 'held'],
])('run --method %s --target-bits %s: %s with feedback', async (method, bits, effect) => {
  const run = async (...args: string[]) => {
    const common = ['run', fixtures.quantized, '-p', 'the cat', '-n', '30', '--temp', '0', '--json', ...reference]
    const { code, stdout, stderr } = await runCommand([...common, '--method', method, '--target-bits', bits, ...args])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout).effectiveBits as number
  }
  const [held, free] = [await run(), await run('--no-feedback')]
  if (effect === 'held') expect(Math.abs(held - 3.5)).toBeLessThan(Math.abs(free - 3.5))
  else expect(held).toBe(free)
  if (method === 'uniform') expect(held).toBe(4)
})

test('bench measures targets with the method that is asked for, whole numbers beside them', async () => {
  const bench = async (...args: string[]) => {
    const common = ['bench', fixtures.quantized, '-p', '0', '-n', '4', '-r', '1', '--warmup', '0', '--json', ...reference]
    return JSON.parse((await runCommand([...common, ...args])).stdout).map((row: { effectiveBits: number }) => row.effectiveBits)
  }
  expect(await bench('--method', 'uniform', '--target-bits', '3,5')).toEqual([3, 5])
  const [three, held] = await bench('--method', 'budget', '--precision', '3', '--target-bits', '3.5')
  const [, free] = await bench('--method', 'budget', '--precision', '3', '--target-bits', '3.5', '--no-feedback')
  expect(three).toBe(3)
  expect(Math.abs(held - 3.5)).toBeLessThan(Math.abs(free - 3.5))
})

test('a chat keeps the method when the target changes', async () => {
  const chat = (input: string, ...args: string[]) =>
    runCommand(['chat', fixtures.quantized, '--temp', '0', '-n', '8', ...reference, ...args], input)
  const flags = ['--method', 'static', '--target-bits', '4']
  const { code, stdout, stderr } = await chat('/set target-bits 3\nthe cat\n/stats\n/set target-bits 2\n', ...flags)
  expect(code).toBe(0)
  expect(stdout).toMatch(/ at 3\.00 effective bits/)
  expect(stderr).toMatch(/targetBits: expected at least 3, the least target of profile static-5/)
  expect(await chat('', '--method', 'budget')).toMatchObject({ code: 1, stderr: expect.stringMatching(/method is budget/) })
})
