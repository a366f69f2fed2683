import { InvalidArgumentError } from '@dpllm/core'

/**
 * LSAQ's allocation: two neighbouring bit counts for whole blocks, l = ⌊target⌋ and h = ⌈target⌉; the n_h = round(L · (target −
 * l)) blocks of the highest importance get h. (The paper's own formula is not published; this is its two-level form.) A block
 * counts 1/L of a bit, so that few blocks do not come close to every target: `lsaqCosts` in `hitTarget` does.
 * @returns bits of each block
 */
export function splitLevels(importance: ArrayLike<number>, targetBits: number): number[] {
  if (!(targetBits > 0 && Number.isFinite(targetBits)))
    throw new InvalidArgumentError('targetBits', 'an average of bits', targetBits)
  const low = Math.floor(targetBits)
  return raiseMostImportant(importance, Math.round(importance.length * (targetBits - low)), low, Math.ceil(targetBits))
}

/** Two levels of bits, what one block takes at each, and what there is. */
export interface MemoryLevels {
  readonly low: number
  readonly high: number
  /** Bytes of one block at these bits (`loadedBytes` of its linears). */
  readonly lowBytes: number
  readonly highBytes: number
  /** Bytes for all blocks together: what is available without what is not in blocks. */
  readonly budgetBytes: number
}

/**
 * The same for a memory: n_h = ⌊(budget − L · m_l) / (m_h − m_l)⌋, clamped to 0 … L, for blocks of equal size.
 * @returns bits of each block
 */
export function splitMemory(importance: ArrayLike<number>, levels: MemoryLevels): number[] {
  const { low, high, lowBytes, highBytes, budgetBytes } = levels
  if (!(lowBytes < highBytes))
    throw new InvalidArgumentError('highBytes', `more than the ${lowBytes} bytes of ${low} bits`, highBytes)
  const raised = Math.floor((budgetBytes - importance.length * lowBytes) / (highBytes - lowBytes))
  return raiseMostImportant(importance, Math.min(Math.max(raised, 0), importance.length), low, high)
}

/** `high` for the `count` most important, of equal ones the earlier; else `low`. */
function raiseMostImportant(importance: ArrayLike<number>, count: number, low: number, high: number): number[] {
  const order = Array.from(importance, (_, i) => i).sort((a, b) => importance[b] - importance[a] || a - b)
  const raised = new Set(order.slice(0, count))
  return Array.from(importance, (_, i) => (raised.has(i) ? high : low))
}
