import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Io } from '../io.js'
import { run } from '../main.js'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  readonly done: Promise<CommandResult>
  readonly stdin: PassThrough
  readonly stdout: PassThrough
  /** What stdout has got so far. */
  output(): string
  /** Presses Ctrl-C. */
  interrupt(): void
}

/** Starts a command line inside this process, with streams of its own. */
export function startCommand(...args: string[]): RunningCommand {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const signals = new EventEmitter()
  const texts = { stdout: '', stderr: '' }
  stdout.on('data', (data) => {
    texts.stdout += data
  })
  stderr.on('data', (data) => {
    texts.stderr += data
  })
  const io: Io = { stdin, stdout, stderr, signals }
  const done = run(['node', 'dpllm', ...args], io).then(async (code) => {
    await new Promise((resolve) => setImmediate(resolve))
    return { code, ...texts }
  })
  return { done, stdin, stdout, output: () => texts.stdout, interrupt: () => signals.emit('SIGINT') }
}

/** Runs a command line to its end. */
export async function runCommand(args: readonly string[], input = ''): Promise<CommandResult> {
  const command = startCommand(...args)
  command.stdin.end(input)
  return command.done
}
