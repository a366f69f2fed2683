import { DpllmError } from '@dpllm/core'
import { CommanderError } from 'commander'
import { type CommandContext, UsageError } from './context.js'
import { Interrupted, OutputClosed } from './interrupts.js'
import { colorsFor } from './output/colors.js'

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (128 + SIGINT). */
export type ExitCode = 0 | 1 | 2 | 130

/** Says on stderr, in one line, what ended a command; gives the exit code. `DPLLM_DEBUG=1` adds the stack. */
export function reportError(error: unknown, { io, interrupts }: Pick<CommandContext, 'io' | 'interrupts'>): ExitCode {
  const { stderr } = io
  const say = (message: string) => {
    const line = message.replace(/\s*\n\s*/g, ' ')
    stderr.write(`${colorsFor(stderr).red('dpllm:')} ${line}\n`)
    if (isSet(process.env.DPLLM_DEBUG)) stderr.write(`${stackOf(error)}\n`)
  }
  // Commander has printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof OutputClosed) return 0
  if (error instanceof Interrupted) {
    say(['interrupted', interrupts.note].filter(Boolean).join('; '))
    return 130
  }
  if (error instanceof UsageError) {
    say(error.message)
    return 2
  }
  if (DpllmError.isInstance(error)) say(error.message)
  else
    say(
      `unexpected error: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)} (DPLLM_DEBUG=1 shows where; please report it)`,
    )
  return 1
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value)
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
