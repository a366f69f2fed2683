import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
const budget = ['--memory-budget', '5', '--target', '4,3.5']
const small = ['--samples', '4', '--seq-len', '32', '--backend', 'reference', '-q']

const calibrate = (...args: string[]) =>
  runCommand(['calibrate', fixtures.quantized, '--calib', fixtures.text, ...budget, ...small, ...args])
const profileOf = async (name: string) =>
  JSON.parse(await readFile(path.join(fixtures.quantized, 'profiles', `${name}.json`), 'utf8'))

test.each([
  ['budget', [], 'budget'],
  ['static', [], 'static'],
  ['dp-llm', ['--steps', '2', '--estimator', 'exact'], 'threshold'],
])('--method %s %j writes METHOD-BUDGET and says what was measured at the targets asked for', async (method, args, kind) => {
  const { code, stdout, stderr } = await calibrate('--method', method, ...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const made = JSON.parse(stdout)
  expect(made).toEqual({
    name: `${method}-5`,
    path: path.join(fixtures.quantized, 'profiles', `${method}-5.json`),
    method,
    targets: [
      { targetBits: 3.5, measuredBits: expect.closeTo(3.5, 1) },
      { targetBits: 4, measuredBits: expect.closeTo(4, 1) },
    ],
  })
  expect(await profileOf(`${method}-5`)).toMatchObject({ format: 2, method, memoryBudget: 5, policy: { kind } })
  // Nothing unfinished is left beside it.
  expect((await readdir(path.dirname(made.path))).filter((name) => name.endsWith('.partial'))).toEqual([])
})

test('the flags of dp-llm reach the profile; --work-dir keeps what was measured', async () => {
  const work = path.join(fixtures.folder, 'work')
  const flags = ['--method', 'dp-llm', '--steps', '2', '--work-dir', work]
  const made = await calibrate(...flags, '--synchronous', '--estimator', 'probe', '--name', 'probed')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  const { policy, provenance } = await profileOf('probed')
  expect(policy.selectInputs).toBe('residual')
  expect(provenance).toMatchObject({ estimator: 'probe' })
  expect((await readdir(work)).length).toBeGreaterThan(0)

  for (const [name, synchronous, selectInputs] of [
    ['late', ['--synchronous'], 'own'],
    ['early', [], 'asynchronous'],
  ] as const) {
    expect((await calibrate(...flags, ...synchronous, '--name', name)).code).toBe(0)
    expect((await profileOf(name)).policy.selectInputs).toBe(selectInputs)
  }
})

test('for people it is a table, and what else the profile serves', async () => {
  const dynamic = await calibrate('--name', 'table')
  expect(dynamic.stdout).toMatch(/^\| target bits \| bits on the calibration text \|\n/)
  expect(dynamic.stdout).toMatch(/\n\| +3\.5 \| +3\.\d{3} \|\n\| +4 \| +[34]\.\d{3} \|\n/)
  expect(dynamic.stdout).toMatch(/\nprofile table written to .*table\.json; it serves all targets of [\d.]+-[\d.]+ bits\n$/)
  const fixed = await calibrate('--method', 'static', '--name', 'fixed-table')
  expect(fixed.stdout).toMatch(/^\| target bits \| average bits \|\n/)
})

test.each([
  [['--method', 'uniform'], 1, /^dpllm: method: expected one of budget, dp-llm.*uniform needs no calibration.*\n$/],
  [['--method', 'magic'], 2, /Allowed choices are uniform, budget, dp-llm, static, llm-mq, hawq-v2, lsaq/],
  [['--estimator', 'exact'], 2, /--estimator belongs to --method dp-llm/],
  [['--synchronous'], 2, /--synchronous belongs to --method dp-llm/],
  [['--method', 'static', '--epochs', '2'], 2, /--epochs belongs to --method dp-llm/],
  [['--method', 'dp-llm', '--estimator', 'guess'], 2, /Allowed choices are hybrid, sketch, exact, probe/],
  [['--method', 'dp-llm', '--steps', '0'], 2, /whole number/],
  [['--target', '5.5'], 1, /^dpllm: targets: expected numbers of bits from 3 to the budget's 5/],
  [['--name', '../elsewhere'], 1, /^dpllm: name: /],
])('%j is refused', async (args, wanted, message) => {
  const { code, stdout, stderr } = await calibrate(...args)
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: wanted, stdout: '' })
})

test.each(['its own folder', '--work-dir'])('Ctrl-C says what is kept in %s and how to go on', async (where) => {
  const work = path.join(fixtures.folder, 'interrupted')
  const kept = where === '--work-dir' ? work : path.join(fixtures.quantized, 'profiles', 'budget-5.partial')
  const args = where === '--work-dir' ? ['--work-dir', work] : []
  const command = startCommand('calibrate', fixtures.quantized, '--calib', fixtures.text, ...budget, ...small, ...args)
  command.interrupt()
  const { code, stdout, stderr } = await command.done
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
  expect(stderr).toBe(`dpllm: interrupted; what was measured is kept in ${kept}; the same command goes on from there\n`)
})
