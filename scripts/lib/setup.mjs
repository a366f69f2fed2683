import { existsSync, readFileSync } from 'node:fs'
import { pnpm, root } from './run.mjs'

/** Installs what the lock file names, unless that is what is installed. */
export function ensureInstalled() {
  requireNode()
  if (!isInstalled()) pnpm('install', '--frozen-lockfile')
}

/**
 * Builds every package, and the native code where there is a compiler (without one the reference backend is used).
 * Needs ensureInstalled(). What has not changed since is not built again.
 */
export function ensureBuilt() {
  pnpm('exec', 'turbo', 'run', 'build', '--output-logs=errors-only')
}

/** pnpm keeps a copy of the lock file that it last installed from, written when it was done. */
function isInstalled() {
  const installed = `${root}node_modules/.pnpm/lock.yaml`
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(`${root}pnpm-lock.yaml`, 'utf8')
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Error(`Node.js 20.19 or newer is needed, this is ${process.versions.node}`)
}
