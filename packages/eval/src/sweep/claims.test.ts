import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { useTemporaryFolders } from '../testing/temporary-folder.js'
import { openClaims } from './claims.js'
import { mayRun, thisProcess } from './process-life.js'

const makeFolder = useTemporaryFolders()

/** A process that does nothing, and what its claims would say. */
async function otherProcess() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  const kill = async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { identity: { ...thisProcess(), pid: child.pid!, started: null }, kill }
}

const claimFile = (folder: string, name: string) => path.join(folder, `${name}.01234567-89ab-cdef-0123-456789abcdef.json`)

test('a claim keeps others out until it is given back, and other names free', async () => {
  const folder = await makeFolder()
  const [one, other] = [await openClaims(folder), await openClaims(folder)]
  const claim = await one.take('a.b')
  expect(claim).toBeDefined()
  expect(await other.take('a.b')).toBeUndefined()
  expect(await one.take('a.b')).toBeUndefined()
  const sibling = await other.take('a')
  expect(sibling).toBeDefined()
  await claim!.release()
  expect(await other.take('a.b')).toBeDefined()
})

test('a killed process’s claim is free, a running one’s and another machine’s are not', async () => {
  const folder = await makeFolder()
  const claims = await openClaims(folder)
  const { identity, kill } = await otherProcess()
  await writeFile(claimFile(folder, 'job'), JSON.stringify(identity))
  await writeFile(claimFile(folder, 'far'), JSON.stringify({ ...identity, host: 'another machine' }))
  expect(await claims.take('job')).toBeUndefined()
  await kill()
  expect(await claims.take('far')).toBeUndefined()
  const claim = await claims.take('job')
  expect(claim).toBeDefined()
  await claim!.release()
  expect(await readdir(folder)).toEqual([path.basename(claimFile(folder, 'far'))])
})

test('the number of a dead process that another has got says nothing', () => {
  expect(mayRun(thisProcess())).toBe(true)
  // Only where the system says when a process began.
  const { started } = thisProcess()
  if (started !== null) expect(mayRun({ ...thisProcess(), started: `${started}0` })).toBe(false)
})

test('what killed processes leave is removed, half-written files too', async () => {
  const folder = await makeFolder()
  const claims = await openClaims(folder)
  const { identity, kill } = await otherProcess()
  await kill()
  await writeFile(claimFile(folder, 'dead'), JSON.stringify(identity))
  await writeFile(path.join(folder, `.dead.json.${identity.pid}.0.tmp`), '{')
  const held = await claims.take('alive')
  await claims.removeDead()
  expect((await readdir(folder)).map((name) => name.split('.')[0])).toEqual(['alive'])
  await held!.release()
})

test('of many that come at once at most one holds it, and in the end all had it', async () => {
  const folder = await makeFolder()
  let holders = 0
  let most = 0
  const worker = async () => {
    const claims = await openClaims(folder)
    for (;;) {
      const claim = await claims.take('job')
      if (claim === undefined) {
        await setTimeout(10 * Math.random())
        continue
      }
      most = Math.max(most, ++holders)
      await setTimeout(2)
      holders--
      await claim.release()
      return
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  expect(most).toBe(1)
  expect(await readdir(folder)).toEqual([])
}, 30_000)
