import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { LinearDecision } from '../inspect/linear-decisions.js'
import { useFixtures } from '../testing/fixtures.js'
import { modules, writeTestProfile } from '../testing/profiles.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
beforeAll(async () => {
  for (const method of ['static', 'dp-llm', 'budget', 'imported'] as const) await writeTestProfile(fixtures.quantized, method)
})

const inspect = (...args: string[]) => runCommand(['inspect', fixtures.quantized, ...args])

/** The row of a table whose first cell is this. */
function row(table: string, name: string): string[] {
  const line = table.split('\n').find((text) => text.startsWith(`| ${name} `))
  return line === undefined
    ? []
    : line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
}

test('lists matrices and profiles with what they were measured at', async () => {
  const { code, stdout, stderr } = await inspect()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(row(stdout, 'model.layers.1.mlp.down_proj').slice(0, 3)).toEqual(['model.layers.1.mlp.down_proj', '32 × 48', '3-8'])
  expect(row(stdout, 'budget-5')).toEqual(['budget-5', 'budget', '5', '5.000', '3.25-4.75', '3.25 (3.251), 4.75 (4.748)'])
  expect(row(stdout, 'dp-llm-5')).toEqual(['dp-llm-5', 'dp-llm', '5', '5.000', '3-5', '3.5 (3.501), 4.5 (4.502)'])
  expect(row(stdout, 'imported-5')).toEqual(['imported-5', 'dp-llm', '5', '5.000', 'these', '3.5 (3.490)'])
  expect(row(stdout, 'static-5')).toEqual(['static-5', 'static', '5', '5.000', '3-5', '3 (3.000), 4 (3.900), 5 (5.000)'])
})

test('--json holds the profiles whole; without --profile no decisions', async () => {
  const { profiles, decisions } = JSON.parse((await inspect('--json')).stdout)
  expect(profiles.map(({ name }: { name: string }) => name)).toEqual(['budget-5', 'dp-llm-5', 'imported-5', 'static-5'])
  expect(profiles[0]).toMatchObject({ loadedBits: 5, range: [3.25, 4.75], policy: { kind: 'budget' }, provenance: { seed: 0 } })
  expect(profiles[2].range).toBeUndefined()
  expect(decisions).toBeUndefined()
})

test.each([
  // Without --target-bits it is the middle target.
  ['static-5', [], 'at target 4', ['5', '5']],
  ['static-5', ['--target-bits', '4.9'], 'at target 4.9', ['5', '5']],
  ['static-5', ['--target-bits', '3.9'], 'at target 3.9', ['5', '3']],
  ['dp-llm-5', [], 'at target 3.5', ['5', '3.500', '3 or 4', '0.5000', 'linear']],
  ['dp-llm-5', ['--target-bits', '4.5'], 'at target 4.5', ['5', '4.500', '4 or 5', '0.5000', 'linear']],
  ['dp-llm-5', ['--target-bits', '3'], 'at target 3', ['5', '3.000', '3', '', '']],
  ['imported-5', [], 'at target 3.5', ['5', '3 or 4', '0.1250', 'exact']],
])('--profile %s %j: a row for each linear', async (profile, args, head, cells) => {
  const { code, stdout } = await inspect('--profile', profile, ...args)
  expect(code).toBe(0)
  expect(stdout.split('\n')[0]).toContain(head)
  expect(row(stdout, modules[0]).slice(1)).toEqual(cells)
  expect(modules.filter((module) => row(stdout, module).length === 0)).toEqual([])
})

test('of a budget profile the sensitivities at which more bits pay', async () => {
  const { stdout } = await inspect('--profile', 'budget-5', '--target-bits', '4.75')
  // Price e⁻⁶ for each bit of 32 · 32 weights: 4 bits above 1024 e⁻⁶ / 12 = 0.21, 5 bits above 1024 e⁻⁶ / 3 = 0.85 times the mean.
  expect(row(stdout, modules[0])).toEqual([modules[0], '5', '5', '0.21×', '0.85×'])
  const { decisions } = JSON.parse((await inspect('--profile', 'budget-5', '--target-bits', '4.75', '--json')).stdout)
  expect(decisions).toMatchObject({ profile: 'budget-5', method: 'budget', kind: 'budget', memoryBudget: 5, targetBits: 4.75 })
  const [first] = decisions.linears as LinearDecision[]
  expect(first).toMatchObject({
    module: modules[0],
    loadedBits: 5,
    low: 3,
    high: 5,
    estimator: 'probe',
    bitsAtMeanSensitivity: 5,
  })
  expect(first.thresholds[0]).toBeCloseTo(Math.log(1024 / 12) - 6, 5)
  expect(first.thresholds[1]).toBeCloseTo(Math.log(1024 / 3) - 6, 5)
})

test.each([
  ['static-5', ['loaded bits', 'bits of every token'], 14 * 2],
  ['dp-llm-5', ['loaded bits', 'average bits p', 'estimators'], 14 * 3],
  ['imported-5', ['loaded bits', 'bits, and above the threshold', 'estimators'], 14 * 3],
  ['budget-5', ['loaded bits', 'bits of a token of mean sensitivity', '4 bits above', '5 bits above'], 14 * 4],
])('--svg draws %s: a labelled cell for each linear in every heat map', async (profile, titles, cells) => {
  const file = path.join(fixtures.folder, `${profile}.svg`)
  const { code, stdout, stderr } = await inspect('--profile', profile, '--svg', file)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`drawn in ${file}\n`)
  const svg = await readFile(file, 'utf8')
  expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  expect(svg).not.toMatch(/NaN|undefined/)
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)
  for (const title of titles) expect(texts.some((text) => text.startsWith(title))).toBe(true)
  for (const column of ['q', 'k', 'v', 'o', 'gate', 'up', 'down']) expect(texts).toContain(column)
  expect(svg.match(/aria-roledescription="text mark"/g)).toHaveLength(cells)
})

test.each([
  [['--svg', 'x.svg'], 2, /name one of budget-5, dp-llm-5, imported-5, static-5/],
  [['--target-bits', '3.5'], 2, /name one of/],
  [['--profile', 'other'], 1, /profile: expected one of budget-5, dp-llm-5, imported-5, static-5, found "other"/],
  [['--profile', 'budget-5', '--target-bits', '3'], 1, /targetBits: expected a number from 3\.25 to 4\.75/],
  [['--profile', 'imported-5', '--target-bits', '4'], 1, /targetBits: expected a target of profile imported-5: 3\.5/],
  [['--profile', 'budget-5', '--target-bits', 'few'], 2, /Expected a number/],
])('%j is refused', async (args, wanted, message) => {
  const { code, stdout, stderr } = await inspect(...args)
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: wanted, stdout: '' })
})

test('a model without profiles has nothing to draw', async () => {
  const { code, stderr } = await runCommand(['inspect', fixtures.original, '--svg', 'x.svg'])
  expect(stderr).toMatch(/the model has none/)
  expect(code).toBe(2)
})
