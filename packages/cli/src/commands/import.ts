import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addImportAnyPrecision } from './import-any-precision.js'
import { addImportDpLlm } from './import-dp-llm.js'
import { addImportLlama2c } from './import-llama2c.js'

/** `dpllm import FORMAT …`: what other programs made becomes ours. */
export function addImport(program: Command, context: CommandContext): void {
  const command = program.command('import').description('read a model or profile in another format')
  for (const add of [addImportLlama2c, addImportAnyPrecision, addImportDpLlm]) add(command, context)
}
