import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError } from '@dpllm/core'
import { readError, readJson, writeError, writeFileAtomic } from '@dpllm/core/node'
import { mayRun, processIdentitySchema, thisProcess } from './process-life.js'

/** A lock that is held. */
export interface Claim {
  /** Gives it back. */
  release(): Promise<void>
}

/** Locks between processes, by name. A killed process's are free at once. */
export interface Claims {
  /** @returns undefined if another has it; two that come at the same time may both be turned away */
  take(name: string): Promise<Claim | undefined>
  /** Removes what killed processes left. */
  removeDead(): Promise<void>
}

/**
 * Locks as files of a folder that processes of one machine share. A process first puts a file of its own there, whole at once
 * and never of a name that was used before, then looks for those of others: of two that do so at least one sees the other and
 * steps back, so that never both go on. Files whose process is dead do not count.
 * @throws DpllmError ERR_DPLLM_WRITE, also from its functions
 */
export async function openClaims(folder: string): Promise<Claims> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  const remove = (file: string) => rm(path.join(folder, file), { force: true })
  return {
    async take(name) {
      if ((await claimsOf(folder, name)).alive.length > 0) return undefined
      const mine = `${name}.${randomUUID()}.json`
      await writeFileAtomic(path.join(folder, mine), `${JSON.stringify(thisProcess())}\n`)
      const { alive, dead } = await claimsOf(folder, name)
      if (alive.some((file) => file !== mine)) {
        await remove(mine)
        return undefined
      }
      await Promise.all(dead.map(remove))
      return { release: () => remove(mine) }
    },
    async removeDead() {
      const { dead } = await claimsOf(folder)
      const unfinished = (await readdir(folder)).filter((file) => {
        const [, pid] = /^\..*\.(\d+)\.\d+\.tmp$/.exec(file) ?? []
        return pid !== undefined && !mayRun({ ...thisProcess(), pid: Number(pid), started: null })
      })
      await Promise.all([...dead, ...unfinished].map(remove))
    },
  }
}

/** Files of a name (or all) by whether their process may still run. */
async function claimsOf(folder: string, name?: string): Promise<{ alive: string[]; dead: string[] }> {
  const alive: string[] = []
  const dead: string[] = []
  const files = await readdir(folder).catch((error) => {
    throw readError(folder, error)
  })
  for (const file of files) {
    if (file.startsWith('.') || (name !== undefined && nameOf(file) !== name)) continue
    const owner = await ownerOf(path.join(folder, file))
    if (owner === 'gone') continue
    const running = owner === 'unknown' || mayRun(owner)
    ;(running ? alive : dead).push(file)
  }
  return { alive, dead }
}

/** NAME of `NAME.UUID.json`; names have dots, too. */
function nameOf(file: string): string {
  return file.slice(0, -`.${'u'.repeat(36)}.json`.length)
}

async function ownerOf(file: string) {
  try {
    const parsed = processIdentitySchema.safeParse(await readJson(file, { maxBytes: 4096 }))
    return parsed.success ? parsed.data : 'unknown'
  } catch (error) {
    // Given back since the folder was read.
    const cause = error instanceof FileFormatError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
    if (cause?.code === 'ENOENT') return 'gone'
    if (error instanceof FileFormatError) return 'unknown'
    throw error
  }
}
