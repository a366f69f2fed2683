import { operands } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { lastReads, neededOperators } from '../program/prune.js'
import { axes, type NativePlanDescription, NONE } from './description.js'

interface Slot {
  axis: number
  rowBytes: number
}

/**
 * What a step that wants `outputs` runs: only the operators that these need, with the intermediate values laid into as
 * few slots of one arena as their lives allow. Slots grow with T or R, so one plan serves every step length.
 * @param valueIndex the number of every value's name
 */
export function makePlan(
  program: Program,
  valueIndex: ReadonlyMap<string, number>,
  outputs: readonly string[],
): NativePlanDescription {
  const order = neededOperators(program, outputs)
  const last = lastReads(program, order, outputs)
  const slotOf = new Int32Array(valueIndex.size).fill(NONE)
  const slots: Slot[] = []
  const free: Slot[] = []
  const held = new Map<string, Slot>()

  order.forEach((index, step) => {
    const { reads, writes } = operands(program.operators[index])
    for (const name of writes) {
      const { dtype, shape } = program.values[name]
      // Bit counts live in the step's result, outputs in the caller's arrays, and what nothing reads nowhere.
      if (dtype === 'u8' || !last.has(name) || outputs.includes(name)) continue
      const [first = 1, ...others] = shape
      const row = others.reduce<number>((n, d) => n * (d as number), 4)
      const slot = typeof first === 'string' ? take(axes[first], row) : take(axes.constant, row * first)
      slotOf[valueIndex.get(name)!] = slots.indexOf(slot)
      held.set(name, slot)
    }
    for (const name of [...reads, ...writes]) {
      const slot = held.get(name)
      if (slot !== undefined && last.get(name)! <= step) {
        free.push(slot)
        held.delete(name)
      }
    }
  })

  /** The smallest free slot that is large enough, else the largest, grown. */
  function take(axis: number, rowBytes: number): Slot {
    const candidates = free.filter((slot) => slot.axis === axis).sort((a, b) => a.rowBytes - b.rowBytes)
    const slot = candidates.find((s) => s.rowBytes >= rowBytes) ?? candidates.at(-1)
    if (slot === undefined) {
      const added = { axis, rowBytes }
      slots.push(added)
      return added
    }
    free.splice(free.indexOf(slot), 1)
    slot.rowBytes = Math.max(slot.rowBytes, rowBytes)
    return slot
  }

  const inputs = program.inputs ?? []
  const filled = outputs.filter((name) => !inputs.includes(name))
  return { operators: Int32Array.from(order), slotOf, slots, outputs: Int32Array.from(filled, (name) => valueIndex.get(name)!) }
}
