import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const environment = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }

/** A command that ended with another status than 0, or did not start. */
export class CommandError extends Error {
  constructor(command, args, status, cause) {
    super(`${[command, ...args].join(' ')}: ${cause?.message ?? `ended with status ${status}`}`, { cause })
    this.name = 'CommandError'
    this.status = status
  }
}

/**
 * Runs a command in the repository's folder, its output on this terminal.
 * @param {string} command
 * @param {readonly string[]} [args]
 * @param {{ env?: Record<string, string>, quiet?: boolean }} [options] with `quiet` its output is shown only if it fails
 * @throws {CommandError} unless it ends with status 0
 */
export function run(command, args = [], { env = {}, quiet = false } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...environment, ...env },
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    maxBuffer: 2 ** 28,
    // npx is a script there, which only a shell starts.
    shell: process.platform === 'win32',
  })
  if (result.status === 0) return
  if (quiet) process.stderr.write(Buffer.concat([result.stdout ?? Buffer.alloc(0), result.stderr ?? Buffer.alloc(0)]))
  throw new CommandError(command, args, result.status ?? 1, result.error)
}

/**
 * Runs pnpm in the version that package.json names; nobody needs it installed. `pnpm('exec', 'turbo', …)` is how turbo
 * finds pnpm on its PATH. npx asks before it fetches unless told not to.
 * @param {...string} args
 */
export function pnpm(...args) {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  run('npx', ['-y', packageManager, ...args])
}

/**
 * Runs a tool that the root package.json installs: vitest, biome, tsc.
 * @param {string} name
 * @param {...string} args
 */
export function tool(name, ...args) {
  run(`${root}node_modules/.bin/${name}`, args)
}
