import { importLlama2c } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addConversion } from '../conversion.js'
import { formatCount } from '../output/format.js'

interface ImportLlama2cFlags {
  readonly tokenizer: string
}

/** `dpllm import llama2c CHECKPOINT --tokenizer FILE -o OUT`. */
export function addImportLlama2c(parent: Command, context: CommandContext): void {
  const command = parent
    .command('llama2c')
    .description('a llama2.c checkpoint of version 0 with its tokenizer')
    .argument('<checkpoint>', 'file such as stories15M.bin')
    .requiredOption('--tokenizer <file>', 'its tokenizer.bin')
  addConversion(
    command,
    context,
    (checkpoint, options, { tokenizer }: ImportLlama2cFlags) => importLlama2c({ checkpoint, tokenizer, ...options }),
    ({ directory, parameters, layers, vocabularySize }) =>
      `${directory}: ${formatCount(parameters)} weights, ${layers} layers, a vocabulary of ${vocabularySize}`,
  )
}
