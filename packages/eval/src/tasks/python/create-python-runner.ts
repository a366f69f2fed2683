import { spawn } from 'node:child_process'
import { DpllmError } from '@dpllm/core'
import type { RunProgram } from '../task.js'
import { GUARD, PASSED, TIMED_OUT } from './guard.js'
import { type Isolation, probeIsolation } from './isolation.js'

export interface PythonRunnerOptions {
  /** Default `python3`. */
  readonly python?: string | undefined
  /** Wall clock for a program, in seconds; default 3, as in the harness. */
  readonly seconds?: number | undefined
  /** Address space in MiB, where the system limits it (Linux); default 1024. */
  readonly megabytes?: number | undefined
}

export interface PythonRunner {
  readonly run: RunProgram
  /** Whether programs are kept from the network by the system, besides by the guard. */
  readonly networkBlocked: boolean
}

/** Beyond a program's own time, for a busy machine to start Python. */
const GRACE_MS = 10_000
/** Variables that a program may see. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', OMP_NUM_THREADS: '1' }

/**
 * What runs programs of a model: each in a Python process of its own with limits on time, memory and what it may do, without
 * network where the platform lets us. Only for users who allow it: see `GUARD` for what it does not promise.
 * @throws DpllmError ERR_DPLLM_PYTHON if there is no Python, or the guard does not work with it
 */
export async function createPythonRunner(options: PythonRunnerOptions = {}): Promise<PythonRunner> {
  const { python = 'python3', seconds = 3, megabytes = 1024 } = options
  const isolation = await probeIsolation()
  const run: RunProgram = (program, signal) => runGuarded(isolation, python, { program, seconds, megabytes }, signal)
  const [good, bad] = [await run('assert 1 + 1 == 2'), await run('assert 1 + 1 == 3')]
  if (good !== 'passed' || bad !== 'failed') {
    throw new DpllmError(
      'ERR_DPLLM_PYTHON',
      `${python}: expected Python 3.8 or newer that runs programs, found that a trial ${good}`,
    )
  }
  return { run, networkBlocked: isolation.networkBlocked }
}

interface Job {
  readonly program: string
  readonly seconds: number
  readonly megabytes: number
}

function runGuarded(isolation: Isolation, python: string, job: Job, signal?: AbortSignal) {
  const [command, ...args] = [...isolation.command, python, '-I', '-B', '-c', GUARD]
  return new Promise<Awaited<ReturnType<RunProgram>>>((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'ignore'] })
    const kill = () => child.kill('SIGKILL')
    const timer = setTimeout(kill, job.seconds * 1000 + GRACE_MS)
    signal?.addEventListener('abort', kill, { once: true })
    let output = ''
    child.stdout.on('data', (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(0, PASSED.length + 1)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(job))
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', kill)
    }
    child.on('error', (cause) => {
      end()
      reject(new DpllmError('ERR_DPLLM_PYTHON', `${command} cannot be started: ${cause.message}`, { cause }))
    })
    child.on('close', (code) => {
      end()
      if (signal?.aborted) reject(signal.reason)
      else resolve(code === TIMED_OUT || code === null ? 'timed out' : code === 0 && output === PASSED ? 'passed' : 'failed')
    })
  })
}
