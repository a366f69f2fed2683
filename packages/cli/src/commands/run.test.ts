import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
const reference = ['--backend', 'reference', '--temp', '0']

test('--json prints one object with text, tokens, effective bits and timings', async () => {
  const { code, stdout, stderr } = await runCommand([
    'run',
    fixtures.original,
    '-p',
    'the cat',
    '-n',
    '5',
    '--json',
    '--quiet',
    ...reference,
  ])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const answer = JSON.parse(stdout)
  expect(answer.tokens.length).toBeLessThanOrEqual(5)
  expect(answer.tokens.length).toBeGreaterThan(0)
  for (const token of answer.tokens) expect(token).toMatchObject({ id: expect.any(Number), text: expect.any(String), bits: 32 })
  expect(answer.text).toBe(answer.tokens.map((token: { text: string }) => token.text).join(''))
  expect(answer).toMatchObject({
    effectiveBits: 32,
    timings: { promptMs: expect.any(Number), tokensPerSecond: expect.any(Number) },
  })
})

test('text streams to stdout, and only that; the same seed gives the same text', async () => {
  const json = await runCommand(['run', fixtures.original, 'the cat', '-n', '8', '--json', ...reference])
  const plain = await runCommand(['run', fixtures.original, 'the cat', '-n', '8', ...reference])
  expect(plain.stdout).toBe(`${JSON.parse(json.stdout).text}\n`)
  expect(plain.stderr).toMatch(/8 tokens at 32\.00 effective bits, .* tokens\/s/)

  const sampled = ['run', fixtures.original, '-p', 'a', '-n', '20', '--temp', '1', '--top-k', '0', '--backend', 'reference', '-q']
  const [a, b, other] = [
    await runCommand([...sampled, '-s', '1']),
    await runCommand([...sampled, '-s', '1']),
    await runCommand([...sampled, '-s', '2']),
  ]
  expect(a.stdout).toBe(b.stdout)
  expect(a.stdout).not.toBe(other.stdout)
})

test('the prompt may come as an argument, from a file or through a pipe', async () => {
  const file = path.join(fixtures.folder, 'prompt.txt')
  await writeFile(file, 'the hat\n')
  const common = ['-n', '6', '-q', ...reference]
  const wanted = (await runCommand(['run', fixtures.original, '-p', 'the hat', ...common])).stdout
  expect((await runCommand(['run', fixtures.original, 'the hat', ...common])).stdout).toBe(wanted)
  expect((await runCommand(['run', fixtures.original, '-f', file, ...common])).stdout).toBe(wanted)
  expect((await runCommand(['run', fixtures.original, '-f', '-', ...common], 'the hat\n')).stdout).toBe(wanted)
  expect((await runCommand(['run', fixtures.original, ...common], 'the hat')).stdout).toBe(wanted)
})

test('a fixed precision loads just its planes, a missing profile is said', async () => {
  const common = [fixtures.quantized, '-p', 'the', '-n', '4', '--json', ...reference]
  for (const bits of [3, 5, 8]) {
    const { stdout, stderr } = await runCommand(['run', ...common, '--precision', String(bits), '--verbose'])
    expect(JSON.parse(stdout).effectiveBits).toBe(bits)
    expect(stderr).toContain('weights in ')
  }
  const { code, stderr } = await runCommand(['run', ...common, '--target-bits', '3.5', '-q'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^dpllm: targetBits: .*profile.*\n$/)
})

test.each([
  [['run'], /missing required argument 'model'/],
  [['run', 'm', '--nonsense'], /unknown option '--nonsense'/],
  [
    ['run', 'm', '-n', '0', '-p', 'x'],
    /'-n, --max-tokens <count>' argument '0' is invalid. Expected a whole number of at least 1/,
  ],
  [['run', 'm', 'x', '-p', 'x'], /give the prompt once/],
  [['run', 'm', '-p', 'x', '--precision', '4', '--target-bits', '4'], /exclude each other/],
  [['run', 'm', '-p', 'x', '--backend', 'tpu'], /Allowed choices are auto, cpu, cuda, reference/],
  [['run', 'm', '-p', 'x', '--precision', 'often'], /Expected a whole number of bits/],
  [['fly'], /unknown command 'fly'/],
  [[], /Usage: dpllm/],
])('wrong usage %j: exit code 2, nothing on stdout', async (args, message) => {
  const { code, stdout, stderr } = await runCommand(args)
  expect(stderr).toMatch(message)
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test('errors are one line, exit code 1', async () => {
  const missing = path.join(fixtures.folder, 'missing')
  const { code, stdout, stderr } = await runCommand(['run', missing, '-p', 'x', '-q'])
  expect(stderr).toMatch(/^dpllm: .*missing.*config\.json.*\n$/)
  expect(stdout).toBe('')
  expect(code).toBe(1)
})

test('--help and --version print to stdout, exit code 0', async () => {
  const version = await runCommand(['--version'])
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  const help = await runCommand(['run', '--help'])
  expect(help.code).toBe(0)
  expect(help.stdout).toContain('--max-tokens')
  expect(help.stdout).toContain('env: DPLLM_MAX_TOKENS')
})

test('Ctrl-C ends it with exit code 130, what was written stays', async () => {
  const command = startCommand(
    'run',
    fixtures.original,
    '-p',
    'the',
    '--temp',
    '1',
    '--top-k',
    '0',
    '--backend',
    'reference',
    '-q',
  )
  command.stdout.once('data', () => command.interrupt())
  const { code, stdout, stderr } = await command.done
  expect(code).toBe(130)
  expect(stderr).toBe('dpllm: interrupted\n')
  expect(stdout).not.toBe('')
})

test('when nobody reads any more, it ends quietly', async () => {
  const command = startCommand(
    'run',
    fixtures.original,
    '-p',
    'the',
    '--temp',
    '1',
    '--top-k',
    '0',
    '--backend',
    'reference',
    '-q',
  )
  command.stdout.once('data', () => command.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })))
  const { code, stderr } = await command.done
  expect(stderr).toBe('')
  expect(code).toBe(0)
})
