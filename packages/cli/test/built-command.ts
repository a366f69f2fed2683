import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CommandResult } from '../src/testing/run-command.js'

const bin = fileURLToPath(new URL('../bin/dpllm.mjs', import.meta.url))

/** Whether `dist` is there. */
export const isBuilt = existsSync(new URL('../dist/index.js', import.meta.url))

/** Starts the built command in a process of its own, as `npx dpllm` does. */
export function startBuilt(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [bin, ...args], { env: { ...process.env, ...env } })
}

/** Runs it to its end. */
export async function runBuilt(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const child = startBuilt(args, env)
  child.stdin.end()
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const code = await new Promise<number>((resolve) => child.on('close', resolve))
  return { code, stdout, stderr }
}
