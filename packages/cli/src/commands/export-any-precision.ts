import { exportAnyPrecision } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addConversion } from '../conversion.js'

const heads = { dense: 'a dense head', tied: 'the head tied to the embedding' }

/** `dpllm export any-precision MODEL -o DIR`. */
export function addExportAnyPrecision(parent: Command, context: CommandContext): void {
  const command = parent
    .command('any-precision')
    .description("as Any-Precision LLM packs models, for its own loader and DP-LLM's code")
    .argument('<model>', 'folder of a quantized model')
  addConversion(
    command,
    context,
    (model, options) => exportAnyPrecision({ model, ...options }),
    ({ directory, modules, seedBits, maxBits, head }) =>
      `${directory}: ${modules} matrices at ${seedBits} to ${maxBits} bits, ${heads[head]}`,
  )
}
