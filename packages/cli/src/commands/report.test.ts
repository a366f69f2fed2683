import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()
const at = (name: string) => path.join(fixtures.folder, name)

beforeAll(async () => {
  const { text, original, quantized } = fixtures
  const settings = [
    { key: 'a', method: 'unquantized', targetBits: null, model: original, flags: [] },
    { key: 'b', method: 'uniform', targetBits: 3, model: quantized, flags: ['--precision', '3'] },
    { key: 'c', method: 'uniform', targetBits: 4, model: quantized, flags: ['--precision', '4'] },
  ]
  await mkdir(at('sweep/results'), { recursive: true })
  for (const { key, method, targetBits, model, flags } of settings) {
    const args = ['eval', 'ppl', model, '--data', text, '-c', '64', '--backend', 'reference', '--json', ...flags]
    const value = JSON.parse((await runCommand(args)).stdout)
    const result = {
      ...{ format: 'dpllm-sweep-result', version: 1, key, kind: 'perplexity', command: `dpllm ${args.join(' ')}`, model: 'tiny' },
      ...{
        tables: null,
        method,
        label: method,
        memoryBudget: null,
        targetBits,
        dataset: 'cats & hats',
        deterministic: true,
        value,
      },
      provenance: { version: '0.0.0', inputs: {} },
    }
    await writeFile(at(`sweep/results/${key}.json`), JSON.stringify(result))
  }
})

test('makes a page, drawings, numbers and figures of what `eval ppl` printed', async () => {
  const flags = ['-o', at('report.html'), '--svg', at('svg'), '--csv', at('numbers.csv'), '--json', at('report.json')]
  const { code, stdout, stderr } = await runCommand(['report', at('sweep'), ...flags])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `2 figures in ${at('report.html')}\n`, stderr: '' })
  const html = await readFile(at('report.html'), 'utf8')
  expect(html).toContain('cats &amp; hats')
  expect(html).toContain(`<pre>dpllm report ${at('sweep')} -o ${at('report.html')}</pre>`)
  expect(html).toContain('for bits in 3 4; do')
  const { sections } = JSON.parse(await readFile(at('report.json'), 'utf8'))
  for (const { id } of sections[0].figures) expect(await readFile(at(`svg/${id}.svg`), 'utf8')).toMatch(/^<svg /)
  expect((await readFile(at('numbers.csv'), 'utf8')).split('\r\n')).toHaveLength(1 + 3 + 1)
})

test.each([
  [['report', '-o', 'x.html'], 2, /missing required argument 'results'/],
  [['report', 'x'], 2, /required option '-o, --output <file>'/],
  [['report', 'no-such-folder', '-o', 'x.html'], 1, /no-such-folder/],
])('%j is refused', async (args, wanted, message) => {
  const { code, stderr } = await runCommand(args)
  expect(stderr).toMatch(message)
  expect(code).toBe(wanted)
})
