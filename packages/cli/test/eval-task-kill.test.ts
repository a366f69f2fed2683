import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeTinyModel } from '../src/testing/tiny-model.js'
import { isBuilt, runBuilt, startBuilt } from './built-command.js'

let folder: string
let model: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-task-kill-'))
  model = await writeTinyModel(folder)
})
afterAll(() => rm(folder, { recursive: true }))

test.skipIf(!isBuilt)(
  'eval task killed with kill -9 again and again makes the bytes and the figures of an undisturbed run',
  async () => {
    const data = path.join(folder, 'test.jsonl')
    const rows = Array.from({ length: 40 }, (_, i) => ({ question: `one and ${i}?`, answer: `#### ${i}` }))
    await writeFile(data, rows.map((row) => JSON.stringify(row)).join('\n'))
    const file = (name: string) => path.join(folder, name)
    const size = async (name: string) => (await readFile(file(name)).catch(() => '')).length
    const command = (output: string) => {
      const flags = ['--shots', '0', '-n', '24', '--backend', 'reference', '-q', '--json']
      return ['eval', 'task', 'gsm8k', model, '--data', data, '--results', file(output), ...flags]
    }
    const wanted = await runBuilt(command('undisturbed'))
    expect(wanted).toMatchObject({ code: 0, stderr: '' })
    const signals = new Set<unknown>()
    for (let kills = 0; kills < 4; kills++) {
      const before = await size('killed')
      const child = startBuilt(command('killed'))
      const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
      while (child.exitCode === null && (await size('killed')) < before + 700) await setTimeout(1)
      child.kill('SIGKILL')
      signals.add(await ended)
    }
    expect(signals).toContain('SIGKILL')
    expect(await runBuilt(command('killed'))).toEqual(wanted)
    expect((await readFile(file('killed'))).equals(await readFile(file('undisturbed')))).toBe(true)
  },
  120_000,
)
