import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { writeTestProfile } from '../testing/profiles.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
let prompts: string
beforeAll(async () => {
  await writeTestProfile(fixtures.quantized, 'budget')
  prompts = path.join(fixtures.folder, 'prompts.txt')
  await writeFile(prompts, 'the cat\n\n{"prompt": "a hat"}\n{"text": "the mat"}\n')
})
const evaluate = (...args: string[]) =>
  runCommand(['eval', 'bits', fixtures.quantized, '-n', '20', '--temp', '0', '--backend', 'reference', '-q', ...args])

test('the bits of every request are those that run reads, held at the target', async () => {
  const json = async (...args: string[]) =>
    JSON.parse((await evaluate('--prompts', prompts, '--target-bits', '4', '--json', ...args)).stdout)
  const held = await json()
  expect(held).toMatchObject({ targetBits: 4, requests: 3, maxTokens: 20 })
  const free = await json('--no-feedback')
  const flags = ['--target-bits', '4', '-n', '20', '--temp', '0', '--backend', 'reference', '-q', '--json', '--no-feedback']
  const ran = JSON.parse((await runCommand(['run', fixtures.quantized, '-p', 'a hat', ...flags])).stdout)
  expect(ran.tokens).toHaveLength(20)
  expect(free.effectiveBits[1]).toBe(ran.effectiveBits)
  expect(Math.abs(held.mean - 4)).toBeLessThan(Math.abs(free.mean - 4))
})

test('for people it is a row; --requests takes the first ones', async () => {
  const { stdout } = await evaluate('--prompts', prompts, '--target-bits', '4', '--requests', '2')
  expect(stdout).toMatch(/^\| requests \| mean bits \| .*\n\| .*\n\| +2 \| +[\d.]+ \| /)
})

test('prompts are required', async () => {
  expect((await evaluate()).stderr).toContain("required option '--prompts <file>' not specified")
  const empty = path.join(fixtures.folder, 'empty.txt')
  await writeFile(empty, '\n\n')
  const { code, stderr } = await evaluate('--prompts', empty, '--target-bits', '4')
  expect(stderr).toMatch(/^dpllm: prompts: expected a file with a prompt on a line/)
  expect(code).toBe(1)
})
