import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { InvalidArgumentError, UnsupportedError } from '@dpllm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatSweepResult } from '../sweep/sweep-result.js'
import { exampleResults } from '../testing/example-results.js'
import type { Report } from './make-report.js'
import { writeReport } from './write-report.js'

let folder: string
const at = (...names: string[]) => path.join(folder, ...names)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-report-'))
  await mkdir(at('sweep', 'results'), { recursive: true })
  await mkdir(at('empty', 'results'), { recursive: true })
  const results = exampleResults().filter(({ tables }) => tables !== 'plain')
  for (const result of results) await writeFile(at('sweep', 'results', `${result.key}.json`), formatSweepResult(result))
  const plan = { format: 'dpllm-sweep-plan', version: 1, jobs: [...results.map(({ key }) => key), 'not-yet'] }
  await writeFile(at('sweep', 'plan.json'), JSON.stringify(plan))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('page, drawings, numbers and figures; the same bytes each time', async () => {
  const write = async (name: string) => {
    const files = { html: at(`${name}.html`), svg: at(`${name}-svg`), csv: at(`${name}.csv`), json: at(`${name}.json`) }
    const report = await writeReport(at('sweep'), files, { command: 'dpllm report sweep' })
    return { report, files }
  }
  const { report, files } = await write('a')
  const ids = report.sections.flatMap(({ figures }) => figures.map(({ id }) => id))
  expect((await readdir(files.svg)).sort()).toEqual(ids.map((id) => `${id}.svg`).sort())
  const html = await readFile(files.html, 'utf8')
  expect(html).toContain('1 of the sweep&#39;s 40 jobs has no result yet')
  expect(html).toContain('<pre>dpllm report sweep</pre>')
  expect(JSON.parse(await readFile(files.json, 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)))
  expect(await readFile(files.csv, 'utf8')).toMatch(/^model,tables,method,/)
  for (const id of ids) {
    const svg = await readFile(path.join(files.svg, `${id}.svg`), 'utf8')
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 [\d.]+ [\d.]+" .*<title [\s\S]*<\/svg>\n$/)
    // Programs without CSS know no variables.
    expect(svg).not.toMatch(/NaN|undefined|var\(|color-mix/)
  }
  const again = await write('b')
  for (const key of ['html', 'csv', 'json'] as const)
    expect(await readFile(again.files[key], 'utf8')).toBe(await readFile(files[key], 'utf8'))
}, 180_000)

test('pictures are PNG, twice as wide as drawings', async ({ skip }) => {
  const report = await writeReport(at('sweep'), { html: at('c.html'), png: at('png') }).catch((error: unknown) => error)
  if (report instanceof UnsupportedError) skip(report.message)
  const { sections } = report as Report
  for (const { id } of sections[0].figures) {
    const bytes = await readFile(at('png', `${id}.png`))
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
    expect(Math.abs(bytes.readUInt32BE(16) - 2000)).toBeLessThanOrEqual(2)
  }
}, 180_000)

test('without results there is nothing to show', async () => {
  await expect(writeReport(at('empty'), { html: at('d.html') })).rejects.toThrow(InvalidArgumentError)
  await expect(readFile(at('d.html'))).rejects.toThrow('ENOENT')
})

test('can be ended', async () => {
  const signal = AbortSignal.abort()
  await expect(writeReport(at('sweep'), { html: at('e.html') }, { signal })).rejects.toThrow('abort')
})
