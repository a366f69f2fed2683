import type { Interrupts } from './interrupts.js'
import type { Io } from './io.js'

/** What every command gets. */
export interface CommandContext {
  readonly io: Io
  readonly interrupts: Interrupts
}

/** The command line is not one that the command understands: exit code 2. */
export class UsageError extends Error {}
