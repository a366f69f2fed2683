import { readFileSync } from 'node:fs'
import os from 'node:os'
import { z } from 'zod'

/** What tells a process from all others, those that later get its number included. */
export const processIdentitySchema = z.object({
  host: z.string(),
  pid: z.number().int().min(1),
  /** On Linux the boot and the clock tick that it began at; null where there is no /proc. */
  started: z.string().nullable(),
})
export type ProcessIdentity = z.infer<typeof processIdentitySchema>

/** This process. */
export function thisProcess(): ProcessIdentity {
  return { host: os.hostname(), pid: process.pid, started: startOf(process.pid) ?? null }
}

/**
 * Whether a process may still run. One of another machine counts as running: nothing here can know. Without /proc a process
 * that has got the number of a dead one is taken for it.
 */
export function mayRun({ host, pid, started }: ProcessIdentity): boolean {
  if (host !== os.hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return started === null || started === startOf(pid)
}

/** Undefined for a process that does not run, or is only waited for by its parent (a zombie). */
function startOf(pid: number): string | undefined {
  try {
    // The name, in parentheses, may hold anything; after it come the state and, as 20th, the start (proc_pid_stat(5)).
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}
