import { InvalidArgumentError } from '@dpllm/core'
import { meanBits } from '@dpllm/runtime'
import { type Allocation, type CostedLinear, capBits } from './allocate-bits.js'
import { blockOf } from './block-of.js'
import { costedLinears, fisherCosts, hawqV2Costs, hawqV2MeanCosts, llmMqCosts, lsaqCosts } from './cost-tables.js'
import { hitTarget, type TargetAllocation, type TargetOptions } from './hit-target.js'
import type { QuantizationErrors } from './quantization-errors.js'
import { splitLevels } from './split-levels.js'

/**
 * Baselines that give every linear a bit count for all tokens: the knapsack with Phase 1's own costs (`static`), LLM-MQ,
 * HAWQ-V2 with the trace or its mean, and LSAQ's importances in the same knapsack.
 */
export type StaticMethod = 'static' | 'llm-mq' | 'hawq-v2' | 'hawq-v2-mean' | 'lsaq'

export interface StaticAllocationOptions extends TargetOptions {
  /** Most bits of each linear that are loaded (`chooseMaxBits`). Default all that were measured. */
  readonly maxBits?: readonly number[] | undefined
  /** For `lsaq`: the importance of every decoder block (`measureBlockImportance`). */
  readonly importance?: ArrayLike<number> | undefined
}

/**
 * Bits of a static baseline for a target, all by one protocol (`hitTarget`).
 * @throws InvalidArgumentError if what the method needs was not measured; InfeasibleAllocationError
 */
export function staticAllocation(
  errors: readonly QuantizationErrors[],
  method: StaticMethod,
  { maxBits, importance, ...target }: StaticAllocationOptions,
): TargetAllocation {
  const linears = costedLinears(errors, costsOf(method, importance))
  return hitTarget(maxBits === undefined ? linears : capBits(linears, maxBits), target)
}

function costsOf(method: StaticMethod, importance: ArrayLike<number> | undefined) {
  switch (method) {
    case 'static':
      return fisherCosts
    case 'llm-mq':
      return llmMqCosts
    case 'hawq-v2':
      return hawqV2Costs
    case 'hawq-v2-mean':
      return hawqV2MeanCosts
    case 'lsaq':
      if (importance === undefined) throw new InvalidArgumentError('importance', 'that of every block, for lsaq', importance)
      return (errors: QuantizationErrors) => lsaqCosts(errors, importanceOf(errors.module, importance))
  }
}

/**
 * LSAQ with its own two levels (`splitLevels`): all linears of a block get the block's bits, within what they have. It comes
 * as close to the target as whole blocks do.
 * @param linears in any order, with the bits that they can be given
 */
export function lsaqLevels(
  linears: readonly (Pick<CostedLinear, 'weights'> & { module: string; minBits: number; maxBits: number })[],
  importance: ArrayLike<number>,
  targetBits: number,
): Pick<Allocation, 'bits' | 'averageBits'> {
  const levels = splitLevels(importance, targetBits)
  const bits = linears.map(({ module, minBits, maxBits }) => {
    importanceOf(module, importance)
    return Math.min(Math.max(levels[blockOf(module)], minBits), maxBits)
  })
  return { bits, averageBits: meanBits(linears, bits) }
}

function importanceOf(module: string, importance: ArrayLike<number>): number {
  const block = blockOf(module)
  if (block < importance.length) return importance[block]
  throw new InvalidArgumentError('importance', `of more than ${block} blocks, for ${module}`, importance.length)
}
