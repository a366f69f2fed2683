import { importAnyPrecision } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addConversion } from '../conversion.js'
import { formatCount } from '../output/format.js'

/** `dpllm import any-precision DIR -o OUT`. */
export function addImportAnyPrecision(parent: Command, context: CommandContext): void {
  const command = parent
    .command('any-precision')
    .description('a model that Any-Precision LLM packed')
    .argument('<folder>', 'its folder, with config.json and pytorch_model.bin or safetensors')
  addConversion(
    command,
    context,
    (source, options) => importAnyPrecision({ source, ...options }),
    ({ directory, parameters, layers, modules, seedBits, maxBits }) =>
      `${directory}: ${formatCount(parameters)} weights, ${layers} layers, ${modules.length} matrices at ${seedBits} to ${maxBits} bits`,
  )
}
