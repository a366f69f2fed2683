import type { Interrupts } from './interrupts.js'
import type { Io } from './io.js'

/** What every command gets. */
export interface CommandContext {
  readonly io: Io
  readonly interrupts: Interrupts
  /** Runs another command line, for commands that are made of others. @throws what the command throws */
  run(args: readonly string[], io: Io, interrupts: Interrupts): Promise<void>
}

/** The command line is not one that the command understands: exit code 2. */
export class UsageError extends Error {}
