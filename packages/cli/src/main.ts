import { type ExitCode, reportError } from './exit-code.js'
import { listenForInterrupts } from './interrupts.js'
import { type Io, processIo } from './io.js'
import { createProgram } from './program.js'

/**
 * Runs one command line.
 * @param argv as `process.argv`: the first two are not looked at
 * @returns the exit code; never throws
 */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<ExitCode> {
  using interrupts = listenForInterrupts(io)
  const context = { io, interrupts }
  try {
    await createProgram(context).parseAsync([...argv])
    return 0
  } catch (error) {
    return reportError(error, context)
  }
}

/** The command `dpllm`. Sets the exit code instead of exiting, so that output drains. */
export async function main(argv: readonly string[]): Promise<void> {
  const io = processIo()
  // What escapes from a callback: one line like any other error, and an end, since nobody waits for the rest.
  process.once('uncaughtException', (error) => process.exit(reportError(error, { io, interrupts: listenForInterrupts(io) })))
  process.exitCode = await run(argv, io)
}
