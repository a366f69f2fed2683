import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Output } from '../io.js'

/** Threads of each of so many processes, so that together they use the machine once; DPLLM_THREADS if it is set. */
export function threadsOfEach(processes: number): number {
  return Number(process.env.DPLLM_THREADS) || Math.max(1, Math.floor(availableParallelism() / processes))
}

/**
 * Starts processes that work on the same sweep. Each takes what no other has, so nothing is said to them; when this process
 * ends, they do.
 * @returns waits for all of them when disposed
 */
export function startHelpers(
  count: number,
  args: readonly string[],
  { stderr, signal }: { readonly stderr: Output; readonly signal: AbortSignal },
): AsyncDisposable {
  const env = { ...process.env, DPLLM_THREADS: String(threadsOfEach(count + 1)) }
  const helpers = Array.from({ length: count }, () =>
    fork(process.argv[1], [...args, '--processes', '1'], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
  )
  const ended = helpers.map((helper) => lifeOf(helper, stderr))
  const stop = () => {
    for (const helper of helpers) if (helper.connected) helper.disconnect()
  }
  signal.addEventListener('abort', stop, { once: true })
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(ended)
      signal.removeEventListener('abort', stop)
    },
  }
}

/** Until it has ended. What it says is said; what it failed at is in the sweep's folder. */
function lifeOf(helper: ChildProcess, stderr: Output): Promise<void> {
  helper.stderr?.on('data', (text) => stderr.write(text))
  return new Promise((resolve) => {
    helper.on('error', () => resolve())
    helper.on('close', (_, signal) => {
      if (signal !== null) stderr.write(`a process of the sweep was ended by ${signal}; others take up what it was at\n`)
      resolve()
    })
  })
}
