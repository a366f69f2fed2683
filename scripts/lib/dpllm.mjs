import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { root, run } from './run.mjs'

const bin = `${root}packages/cli/bin/dpllm.mjs`

/** Runs a `dpllm` command with its output on this terminal, after printing it as a person would type it. */
export function dpllm(...args) {
  announce(args)
  run(process.execPath, [bin, ...args])
}

/** Runs a `dpllm` command with --json and returns what it printed; progress stays on this terminal. */
export function dpllmJson(...args) {
  announce(args)
  const result = spawnSync(process.execPath, [bin, ...args, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  })
  if (result.status !== 0) throw new Error(`dpllm ${args[0]} ended with status ${result.status}`)
  return JSON.parse(result.stdout.toString())
}

function announce(args) {
  const shown = args
    .map((arg) => (path.isAbsolute(arg) ? path.relative(root, arg) : arg))
    .map((arg) => (/[^\w./,=:-]/.test(arg) ? `'${arg}'` : arg))
  console.error(`$ npx dpllm ${shown.join(' ')}`)
}
