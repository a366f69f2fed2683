import { type ExitCode, reportError } from './exit-code.js'
import { type Interrupts, listenForInterrupts } from './interrupts.js'
import { type Io, processIo } from './io.js'
import { createProgram } from './program.js'

/**
 * Runs one command line.
 * @param argv as `process.argv`: the first two are not looked at
 * @returns the exit code; never throws
 */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<ExitCode> {
  using interrupts = listenForInterrupts(io)
  try {
    await runArguments(argv.slice(2), io, interrupts)
    return 0
  } catch (error) {
    return reportError(error, { io, interrupts })
  }
}

async function runArguments(args: readonly string[], io: Io, interrupts: Interrupts): Promise<void> {
  await createProgram({ io, interrupts, run: runArguments }).parseAsync([...args], { from: 'user' })
}

/** The command `dpllm`. Sets the exit code instead of exiting, so that output drains. */
export async function main(argv: readonly string[]): Promise<void> {
  const io = processIo()
  // What escapes from a callback: one line like any other error, and an end, since nobody waits for the rest.
  process.once('uncaughtException', (error) => process.exit(reportError(error, { io, interrupts: listenForInterrupts(io) })))
  process.exitCode = await run(argv, io)
}
