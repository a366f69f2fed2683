import { spawn } from 'node:child_process'

/** A command to put before another, so that it runs without network. */
export interface Isolation {
  readonly command: readonly string[]
  readonly networkBlocked: boolean
}

const candidates: Readonly<Partial<Record<NodeJS.Platform, readonly (readonly string[])[]>>> = {
  // A network namespace of its own; those who are not root need a user namespace for that.
  linux: [
    ['unshare', '--net'],
    ['unshare', '--user', '--net'],
  ],
  darwin: [['sandbox-exec', '-p', '(version 1)(allow default)(deny network*)']],
}

/** The first way that works here; without one an empty command. */
export async function probeIsolation(): Promise<Isolation> {
  for (const command of candidates[process.platform] ?? []) {
    if (await succeeds([...command, 'true'])) return { command, networkBlocked: true }
  }
  return { command: [], networkBlocked: false }
}

function succeeds([command, ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore' })
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })
}
