import { expect, test } from 'vitest'
import { runCommand } from '../testing/run-command.js'

test('says what can be used and what auto takes', async () => {
  const { code, stdout } = await runCommand(['doctor', '--json'])
  expect(code).toBe(0)
  const report = JSON.parse(stdout)
  expect(report.backends.map((b: { name: string }) => b.name)).toEqual(['cuda', 'cpu', 'reference'])
  expect(report.backends.at(-1).usable).toBe(true)
  const usable = (name: string) => report.backends.find((b: { name: string }) => b.name === name).usable
  expect(report.selected).toBe(usable('cpu') ? 'cpu' : 'reference')
  expect(report.node).toBe(process.versions.node)
  const text = (await runCommand(['doctor'])).stdout
  for (const { name, usable } of report.backends)
    expect(text).toMatch(new RegExp(`^${usable ? 'usable    ' : 'not usable'}  ${name}`, 'm'))
  expect(text).toContain(`--backend auto takes ${report.selected}`)
})
