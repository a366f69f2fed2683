import { InvalidArgumentError } from '@dpllm/core'

/** The decoder block of a module: 3 for model.layers.3.mlp.up_proj. */
export function blockOf(module: string): number {
  const match = /^model\.layers\.(\d+)\./.exec(module)
  if (match === null) throw new InvalidArgumentError('module', 'a module of a decoder block, model.layers.N.…', module)
  return Number(match[1])
}
