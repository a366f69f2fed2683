import { type BitPlaneWeight, InvalidArgumentError, wordsPerRow } from '@dpllm/core'
import { meanBits } from '@dpllm/runtime'
import type { Allocation, CostedLinear } from './allocate-bits.js'
import { InfeasibleAllocationError } from './infeasible.js'
import { solveKnapsack } from './knapsack.js'

/** A linear whose every bit count takes so many bytes. */
export interface SizedLinear extends CostedLinear {
  /** Whole numbers; bytes[j] belongs to costs[j]. */
  readonly bytes: readonly number[]
}

/** An allocation and what it takes. */
export interface MemoryAllocation extends Allocation {
  readonly bytes: number
}

/**
 * Bits of least cost within bytes of memory: as `allocateBits`, but the budget is what the linears take when they are loaded
 * (`loadedBytes`, tables included), which is no fixed number of bytes for each bit.
 * @throws InfeasibleAllocationError if the fewest bits do not fit
 */
export function allocateMemory(linears: readonly SizedLinear[], budgetBytes: number): MemoryAllocation {
  linears.forEach(({ bytes, costs }, i) => {
    if (bytes.length !== costs.length)
      throw new InvalidArgumentError(`linears[${i}].bytes`, `${costs.length}, one for each cost`, bytes.length)
  })
  const groups = linears.map(({ bytes, costs }) => ({ weights: bytes, costs: Array.from(costs) }))
  const solution = solveKnapsack(groups, { capacity: budgetBytes })
  if (solution === undefined) {
    const sum = (of: (bytes: readonly number[]) => number) => linears.reduce((total, { bytes }) => total + of(bytes), 0)
    const range = [sum((bytes) => Math.min(...bytes)), sum((bytes) => Math.max(...bytes))] as const
    throw new InfeasibleAllocationError(`${budgetBytes} bytes`, range, 'bytes')
  }
  const bits = solution.choices.map((j, i) => linears[i].minBits + j)
  const { cost, gap, weight } = solution
  return { bits, averageBits: meanBits(linears, bits), cost, gap, bytes: weight }
}

/** Bytes of a weight loaded up to `bits` bits: its planes u32 and the f16 tables of all bit counts up to there. */
export function loadedBytes({ rows, cols, seedBits }: Pick<BitPlaneWeight, 'rows' | 'cols' | 'seedBits'>, bits: number): number {
  return 4 * bits * rows * wordsPerRow(cols) + 2 * rows * (2 ** (bits + 1) - 2 ** seedBits)
}
