import { Writable } from 'node:stream'
import type { CommandContext } from '../context.js'
import type { Interrupts } from '../interrupts.js'
import type { Output } from '../io.js'

export interface RunJobOptions {
  readonly signal: AbortSignal
  /** CPU threads where the command does not say. */
  readonly threads: number
  /** Whether the command's progress is shown. */
  readonly showProgress: boolean
}

/** Variables that say where native code is, or what it may use: a job's result is the same with them and without. */
const kept = ['DPLLM_DEBUG', 'DPLLM_CPU_ADDON', 'DPLLM_CUDA_ADDON', 'DPLLM_CPU_INSTRUCTIONS', 'DPLLM_CUDA_DEVICE']

/**
 * Runs a command line of ours inside this process.
 * @returns the JSON that it prints
 * @throws what the command throws
 */
export async function runJob(
  args: readonly string[],
  { io, interrupts, run }: CommandContext,
  { signal, threads, showProgress }: RunJobOptions,
): Promise<unknown> {
  const printed: string[] = []
  const stdout = collecting((text) => printed.push(text))
  const stderr = showProgress ? io.stderr : collecting(() => {})
  const inner: Interrupts = { ...interrupts, signal, note: '', explain: () => {}, handle: () => disposable, ...disposable }
  await withVariables({ DPLLM_THREADS: String(threads) }, () =>
    run([...args, ...(showProgress ? [] : ['--quiet'])], { ...io, stdout, stderr }, inner),
  )
  return JSON.parse(printed.join(''))
}

const disposable: Disposable = { [Symbol.dispose]: () => {} }

function collecting(write: (text: string) => void): Output {
  return new Writable({
    decodeStrings: false,
    write: (chunk, _, done) => {
      write(String(chunk))
      done()
    },
  })
}

/** Flags' variables do not count in jobs, whose commands say everything; but for those given. */
async function withVariables<Result>(variables: Readonly<Record<string, string>>, task: () => Promise<Result>): Promise<Result> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('DPLLM_') && !kept.includes(name))
  const before = names.map((name) => [name, process.env[name]] as const)
  for (const name of names) delete process.env[name]
  Object.assign(process.env, variables)
  try {
    return await task()
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
    for (const [name, value] of before) process.env[name] = value
  }
}
