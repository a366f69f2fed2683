import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()

/** A command line that tunes the tiny model in a few steps. */
async function commandLine(out: string, ...flags: string[]): Promise<string[]> {
  const text = path.join(fixtures.folder, 'long.txt')
  await writeFile(text, 'the cat and the hat sat on the mat. '.repeat(60))
  const settings = ['--calib', text, '--steps', '6', '--batch', '2', '--seq-len', '12', '--backend', 'reference']
  return [
    'tune',
    fixtures.quantized,
    '--original',
    fixtures.original,
    '-o',
    path.join(fixtures.folder, out),
    ...settings,
    ...flags,
  ]
}

test('says what tuning did; the model still answers', async () => {
  const { code, stdout, stderr } = await runCommand(await commandLine('tuned', '-q'))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.map(([, bits]) => bits)).toEqual(['bits', expect.anything(), '3', '3.5', '4', undefined])
  for (const [, , before, after, tables] of rows.filter(([, bits]) => ['3', '4'].includes(bits))) {
    if (tables === 'tuned') expect(Number(after)).toBeLessThan(Number(before))
    else expect({ tables, after }).toEqual({ tables: 'kept', after: before })
  }
  const run = [
    'run',
    path.join(fixtures.folder, 'tuned'),
    '-p',
    'the',
    '-n',
    '4',
    '--precision',
    '3',
    '--backend',
    'reference',
    '-q',
  ]
  expect((await runCommand(run)).code).toBe(0)
})

test('the same as JSON; profiles of the other tables are named and left', async () => {
  await mkdir(path.join(fixtures.quantized, 'profiles'), { recursive: true })
  await writeFile(path.join(fixtures.quantized, 'profiles', 'old.json'), '{}')
  const { code, stdout } = await runCommand(await commandLine('json', '--json', '-q', '--seed', '3', '--bits', '4,5'))
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ steps: 6, batch: 2, windowTokens: 12, seed: 3, profilesLeft: ['old'] })
  expect(Object.keys(JSON.parse(stdout).before)).toEqual(['4', '5', '4.5'])
  expect(await readdir(path.join(fixtures.folder, 'json'))).not.toContain('profiles')
})

test('Ctrl-C says what is kept and how to go on', async () => {
  const command = startCommand(...(await commandLine('interrupted', '-q')))
  command.interrupt()
  const { code, stderr } = await command.done
  expect(code).toBe(130)
  expect(stderr).toMatch(
    /^dpllm: interrupted; the steps done are kept in .*interrupted\.partial; the same command goes on from there\n$/,
  )
  expect(await readdir(fixtures.folder)).not.toContain('interrupted')
})

test('a text that is too short, and a folder that exists', async () => {
  const short = (await commandLine('short', '-q')).map((arg) => (arg.endsWith('long.txt') ? fixtures.text : arg))
  const { code, stderr } = await runCommand([...short, '--seq-len', '64'])
  expect(stderr).toMatch(/^dpllm: calibrationText: expected a text of at least 64 windows of 64 tokens/)
  expect(code).toBe(1)
  expect(await readdir(fixtures.folder)).not.toContain('short.partial')
  const itself = (await commandLine('x', '-q')).map((arg) => (arg.endsWith(`${path.sep}x`) ? fixtures.quantized : arg))
  expect(await runCommand(itself)).toMatchObject({ code: 1, stderr: expect.stringMatching(/does not exist yet/) })
})

test.each([
  ['--steps=-1', '-q'],
  ['--seed=-1', '-q'],
  ['--backend', 'abacus'],
  ['--bits', '3,6'],
])('tune %s %s is wrong usage', async (...args) => {
  expect((await runCommand(await commandLine('usage', ...args))).code).toBe(2)
})
