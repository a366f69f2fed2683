import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
const flags = ['--backend', 'reference', '--temp', '0', '-n', '6', '-q']

test('answers lines of a pipe, one after another', async () => {
  const both = await runCommand(['chat', fixtures.quantized, ...flags], 'the cat\n\nthe hat\n')
  expect(both).toMatchObject({ code: 0, stderr: '' })
  const first = await runCommand(['chat', fixtures.quantized, ...flags], 'the cat\n/bye\nnever read\n')
  expect(both.stdout.startsWith(first.stdout)).toBe(true)
  expect(first.stdout.endsWith('\n')).toBe(true)
  expect(both.stdout.length).toBeGreaterThan(first.stdout.length)
})

test('/clear forgets, /set changes the precision, /stats tells it', async () => {
  const again = await runCommand(['chat', fixtures.quantized, ...flags], 'the cat\n/clear\nthe cat\n')
  const [a, b] = again.stdout.split('\n')
  expect(a).toBe(b)
  const { stdout, stderr, code } = await runCommand(
    ['chat', fixtures.quantized, ...flags],
    '/stats\n/set precision 3\nthe cat\n/stats\n/set precision 9\n/set precision 3 4\n/set target-bits 3.5\n/set temp 0.5\n/set color red\n/fly\n/help\n',
  )
  expect(code).toBe(0)
  expect(stdout).toContain('no answer yet\n')
  expect(stdout).toMatch(/tokens at 3\.00 effective bits/)
  expect(stdout).toContain('/bye')
  expect(stderr).toContain('precision 3\n')
  expect(stderr).toContain('precision: expected a whole number of bits, dynamic, static, or all\n')
  expect(stderr).toContain('/set takes a name and a value')
  expect(stderr).toMatch(/targetBits: .*profile/)
  expect(stderr).toContain('temp 0.5\n')
  expect(stderr).toContain('color cannot be set')
  expect(stderr).toContain('/fly is not known')
})

test('Ctrl-C stops the answer, not the chat; two leave', async () => {
  const command = startCommand(
    'chat',
    fixtures.original,
    '--backend',
    'reference',
    '--temp',
    '1',
    '--top-k',
    '0',
    '--min-p',
    '0',
    '--top-p',
    '1',
    '-q',
  )
  command.stdin.write('the cat\n')
  await new Promise((resolve) => command.stdout.once('data', resolve))
  command.interrupt()
  await waitFor(() => command.output().endsWith('\n'))
  command.stdin.write('/stats\n')
  await waitFor(() => command.output().includes('effective bits'))
  command.interrupt()
  command.interrupt()
  const { code, stderr } = await command.done
  expect(stderr).toContain('Ctrl-C again')
  expect(code).toBe(0)
})

test('a model without a chat template is refused', async () => {
  const file = path.join(fixtures.original, 'chat_template.jinja')
  const { code, stderr } = await runCommand(['chat', fixtures.quantized, ...flags, '--system', 'x', '--precision', '9'])
  expect(code).toBe(2)
  expect(stderr).toContain('precision')
  await rm(file, { force: true })
  await writeFile(path.join(fixtures.original, 'tokenizer_config.json'), '{"bos_token": "<s>"}')
  const plain = await runCommand(['chat', fixtures.original, ...flags], 'x\n')
  expect(plain.stderr).toMatch(/^dpllm: .* no chat template/)
  expect(plain.code).toBe(1)
})

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
