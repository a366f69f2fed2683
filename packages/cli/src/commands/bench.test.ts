import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { probeBackends } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
const quick = ['-p', '4', '-n', '2', '-r', '2', '--warmup', '0', '--backend', 'reference', '-q']

test('prints a table like llama-bench', async () => {
  const { code, stdout, stderr } = await runCommand(['bench', fixtures.quantized, ...quick, '--precision', '3,5'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0].split('|').map((cell) => cell.trim())).toEqual([
    '',
    'model',
    'size',
    'params',
    'backend',
    'threads',
    'test',
    'eff. bits',
    't/s',
    '',
  ])
  const cells = lines.slice(2).map((line) => line.split('|').map((cell) => cell.trim()))
  expect(cells.map((row) => [row[1], row[4], row[5], row[6], row[7]])).toEqual([
    ['quantized', 'reference', '1', 'pp4', '3.00'],
    ['quantized', 'reference', '1', 'tg2', '3.00'],
    ['quantized', 'reference', '1', 'pp4', '5.00'],
    ['quantized', 'reference', '1', 'tg2', '5.00'],
  ])
  for (const row of cells) expect(row[8]).toMatch(/^[\d.]+ ± [\d.]+$/)
})

test('JSON, JSON lines and CSV hold the same', async () => {
  const json = JSON.parse((await runCommand(['bench', fixtures.original, ...quick, '--json'])).stdout)
  expect(json).toHaveLength(2)
  expect(json[0]).toMatchObject({
    model: 'tiny',
    backend: 'reference',
    threads: 1,
    test: 'pp4',
    effectiveBits: 32,
    tokensPerSecond: expect.any(Number),
  })
  expect(json[0].samples).toHaveLength(2)
  const jsonl = (await runCommand(['bench', fixtures.original, ...quick, '-o', 'jsonl'])).stdout.trimEnd().split('\n')
  expect(jsonl.map((line) => JSON.parse(line).test)).toEqual(['pp4', 'tg2'])
  const csv = (await runCommand(['bench', fixtures.original, ...quick, '-o', 'csv'])).stdout.trimEnd().split('\n')
  expect(csv[0]).toBe('model,size,params,backend,threads,test,effectiveBits,tokensPerSecond,standardDeviation,joulesPerToken')
  expect(csv).toHaveLength(3)
})

test('energy where the machine tells, null where not', async () => {
  const powercap = path.join(fixtures.folder, 'powercap')
  const args = ['bench', fixtures.original, ...quick, '--powercap', powercap]
  const measured = async () => JSON.parse((await runCommand([...args, '--json'])).stdout)[0].joulesPerToken
  expect(await measured()).toBeNull()
  mkdirSync(path.join(powercap, 'intel-rapl:0'), { recursive: true })
  for (const file of ['energy_uj', 'max_energy_range_uj']) writeFileSync(path.join(powercap, 'intel-rapl:0', file), '5\n')
  expect(await measured()).toBe(0)
  const lines = (await runCommand(args)).stdout.split('\n')
  expect(lines.map((line) => line.split('|').at(-2)?.trim())).toEqual(['J/token', '------:', '0.00', '0.00', undefined])
})

test('random weights in the shapes of a known model', async () => {
  const args = [
    'bench',
    '--random',
    'tinyllama-1.1b',
    '--layers',
    '1',
    '--vocab',
    '100',
    '--bits',
    '3-4',
    ...quick,
    '-p',
    '0',
    '-n',
    '1',
    '--json',
  ]
  const [line, ...more] = JSON.parse((await runCommand(args)).stdout)
  expect(more).toEqual([])
  expect(line).toMatchObject({ model: 'random tinyllama-1.1b, 1 layers', test: 'tg1', effectiveBits: 4 })
})

const cpu = probeBackends().some(({ name, usable }) => name === 'cpu' && usable)

test.skipIf(!cpu)('--step-profile says where the time of steps goes', async () => {
  const args = [
    'bench',
    fixtures.quantized,
    '--backend',
    'cpu',
    '-p',
    '0',
    '-n',
    '3',
    '-r',
    '2',
    '-q',
    '--json',
    '--step-profile',
  ]
  const { stdout, stderr, code } = await runCommand([...args, '--kv-cache', 'f16'])
  expect(code).toBe(0)
  const [{ stepProfile }] = JSON.parse(stdout)
  // Two runs of three tokens; the run that warms up does not count.
  expect(stepProfile.steps).toBe(6)
  const inside = Object.values<number>(stepProfile.operators).reduce((sum, ms) => sum + ms, 0)
  expect(inside).toBeGreaterThan(0)
  expect(inside).toBeLessThan(stepProfile.total)
  for (const row of ['tg3 at', 'linear', 'attention', 'handing over', 'step']) expect(stderr).toContain(`| ${row}`)
})

test('a backend that measures no operators has no table', async () => {
  const { stderr } = await runCommand(['bench', fixtures.quantized, ...quick, '--step-profile'])
  expect(stderr).toBe('')
})

test.each([
  [[], 2, /give a model, or --random/],
  [['--random', 'gpt-5'], 1, /one of llama-3-8b/],
  [['--random', 'llama-3-8b', '--layers', '99'], 1, /layers: expected/],
  [['-p', 'many'], 2, /whole number/],
])('%j is refused', async (args, wanted, message) => {
  const { code, stderr } = await runCommand(['bench', ...args, '--backend', 'reference'])
  expect(stderr).toMatch(message)
  expect(code).toBe(wanted)
})

test('llama.cpp can be compared with only where node-llama-cpp is installed', async () => {
  const { code, stdout, stderr } = await runCommand(['bench', fixtures.quantized, ...quick, '--compare', 'model.gguf'])
  expect(stderr).toMatch(/node-llama-cpp cannot be compared with: it is not installed; .*npm i node-llama-cpp/)
  expect(stdout).toBe('')
  expect(code).toBe(1)
})

test('without files precisions of ours are compared by turns', async () => {
  const args = ['bench', fixtures.quantized, ...quick, '-p', '0', '--precision', '3,5', '--json']
  const svg = path.join(fixtures.folder, 'speed.svg')
  const { code, stdout } = await runCommand([...args, '--compare', '--svg', svg])
  expect(code).toBe(0)
  const lines = JSON.parse(stdout)
  expect(lines.map((line: Record<string, unknown>) => [line.model, line.engine, line.test, line['bits/weight']])).toEqual([
    ['quantized', 'dpllm', 'tg2', 3],
    ['quantized', 'dpllm', 'tg2', 5],
  ])
  expect(lines[0]['speed, × the first']).toBe(1)
  expect(readFileSync(svg, 'utf8')).toContain('tokens per second')
})
