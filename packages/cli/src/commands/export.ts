import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addExportAnyPrecision } from './export-any-precision.js'

/** `dpllm export FORMAT …`: ours becomes what other programs read. */
export function addExport(program: Command, context: CommandContext): void {
  const command = program.command('export').description('write a model in another format')
  addExportAnyPrecision(command, context)
}
