import type { Command } from 'commander'

/** Flags about what is said on stderr. */
export interface LogFlags {
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export function addQuietFlag(command: Command): Command {
  return command.option('-q, --quiet', 'no progress')
}

export function addLogFlags(command: Command): Command {
  return addQuietFlag(command).option('--verbose', 'say what is loaded and how')
}
