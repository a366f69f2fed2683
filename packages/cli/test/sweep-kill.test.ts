import type { ChildProcess } from 'node:child_process'
import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createRandom } from '@dpllm/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { useFixtures } from '../src/testing/fixtures.js'
import { sweepBytes, writeTinySweep } from '../src/testing/sweeps.js'
import { isBuilt, runBuilt, startBuilt } from './built-command.js'

const LIMIT_MS = 240_000

describe.skipIf(!isBuilt)('a sweep that is killed', () => {
  const fixtures = useFixtures()
  const random = createRandom(11)
  let file: string
  let wanted: Record<string, string>
  beforeAll(async () => {
    file = await writeTinySweep(fixtures, { methods: ['uniform', 'budget', { method: 'dp-llm', steps: 2 }] })
    expect(await runBuilt(commandOf('undisturbed'))).toMatchObject({ code: 0, stderr: '' })
    wanted = await everything('undisturbed')
    expect(Object.keys(wanted).length).toBeGreaterThan(25)
  }, LIMIT_MS)

  const folderOf = (name: string) => path.join(fixtures.folder, name)
  const commandOf = (name: string, ...args: string[]) => ['sweep', file, '--results', folderOf(name), '-q', ...args]
  const finished = async (name: string) =>
    (await readdir(path.join(folderOf(name), 'results')).catch(() => [])).filter((entry) => entry.endsWith('.json')).length
  /** Results, answers, and the profiles that were calibrated. */
  const everything = async (name: string) => {
    const found = await sweepBytes(folderOf(name))
    const profiles = path.join(fixtures.quantized, 'profiles')
    for (const profile of await readdir(profiles))
      found[`profiles/${profile}`] = (await readFile(path.join(profiles, profile))).toString('base64')
    return found
  }
  /** Without the profiles that others have made. */
  const begin = () => rm(path.join(fixtures.quantized, 'profiles'), { recursive: true, force: true })
  const start = (...command: Parameters<typeof commandOf>) => {
    const child = startBuilt(commandOf(...command))
    child.stdin.end()
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.stdout.resume()
    const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, stderr })),
    )
    return { child, ended }
  }
  const until = async (condition: () => Promise<boolean>, child: ChildProcess) => {
    while (child.exitCode === null && !(await condition())) await setTimeout(2)
  }
  /** Processes that are at a job. */
  const workers = async (name: string) => {
    const claims = path.join(folderOf(name), 'claims')
    const files = (await readdir(claims).catch(() => [])).filter((entry) => !entry.startsWith('.'))
    const texts = await Promise.all(files.map((entry) => readFile(path.join(claims, entry), 'utf8').catch(() => '')))
    return texts.flatMap((text) => (text === '' ? [] : [JSON.parse(text).pid as number]))
  }
  /** A record of each job, no lock, and the bytes of the undisturbed sweep. */
  const expectSame = async (name: string) => {
    expect(await everything(name)).toEqual(wanted)
    expect(await readdir(path.join(folderOf(name), 'runs'))).toEqual(await readdir(path.join(folderOf('undisturbed'), 'runs')))
    expect(await readdir(path.join(folderOf(name), 'claims'))).toEqual([])
  }

  test(
    'ten times at random, and started again each time, it ends with the bytes of an undisturbed one',
    async () => {
      await begin()
      const inside: boolean[] = []
      for (let kill = 0; kill < 10; kill++) {
        const before = await finished('killed')
        const { child, ended } = start('killed')
        // Now before anything is claimed, now inside a job, now between two.
        const more = kill % 3
        await until(async () => (await finished('killed')) >= before + more, child)
        await setTimeout(150 * random.uniform())
        inside.push((await readdir(path.join(folderOf('killed'), 'claims')).catch(() => [])).length > 0)
        child.kill('SIGKILL')
        expect((await ended).signal).toBe('SIGKILL')
      }
      expect(inside).toContain(true)
      expect(await finished('killed')).toBeLessThan(await finished('undisturbed'))
      expect(await runBuilt(commandOf('killed'))).toMatchObject({ code: 0, stderr: '' })
      await expectSame('killed')
    },
    LIMIT_MS,
  )

  test(
    'started twice on one folder, and one of them killed, the other ends with these bytes',
    async () => {
      await begin()
      const [one, other] = [start('shared'), start('shared')]
      await until(async () => (await finished('shared')) >= 3, one.child)
      one.child.kill('SIGKILL')
      expect((await one.ended).signal).toBe('SIGKILL')
      expect(await other.ended).toEqual({ code: 0, signal: null, stderr: '' })
      await expectSame('shared')
    },
    LIMIT_MS,
  )

  test(
    '--processes 2, and the second killed inside a job, the first takes up what it was at',
    async () => {
      await begin()
      const { child, ended } = start('helped', '--processes', '2')
      let helper: number | undefined
      await until(async () => {
        helper = (await workers('helped')).find((pid) => pid !== child.pid)
        return helper !== undefined
      }, child)
      expect(helper).toBeDefined()
      process.kill(helper!, 'SIGKILL')
      const { code, stderr } = await ended
      expect(code).toBe(0)
      expect(stderr).toBe('a process of the sweep was ended by SIGKILL; others take up what it was at\n')
      await expectSame('helped')
    },
    LIMIT_MS,
  )

  test(
    'when the first process is killed its helpers end, too, and the sweep can be gone on with',
    async () => {
      await begin()
      const { child, ended } = start('orphaned', '--processes', '3')
      let helpers: number[] = []
      await until(async () => {
        helpers = (await workers('orphaned')).filter((pid) => pid !== child.pid)
        return helpers.length > 0 && (await finished('orphaned')) >= 2
      }, child)
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      while (helpers.some(isRunning)) await setTimeout(5)
      expect(await finished('orphaned')).toBeLessThan(await finished('undisturbed'))
      expect(await runBuilt(commandOf('orphaned'))).toMatchObject({ code: 0, stderr: '' })
      await expectSame('orphaned')
    },
    LIMIT_MS,
  )
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
