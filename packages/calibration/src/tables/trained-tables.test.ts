import { type BitPlaneWeight, createRandom, f16ToF32, f32ToF16, tableEntries } from '@dpllm/core'
import { randomBitPlanes } from '@dpllm/core/testing'
import { expect, test } from 'vitest'
import { type TrainedTable, tablesOf, trainTable, writeTable } from './trained-tables.js'

const deviations = Float32Array.of(0.5, 1, 0, 2)
const bits = [3, 4, 5]
const make = () => {
  const weight = randomBitPlanes(1, 4, 40, 3, 5)
  return { weight, tables: tablesOf('w.weight', weight, bits, deviations) }
}
const valuesOf = ({ values }: TrainedTable) => Array.from(values, f16ToF32)
const randomGradient = (weight: BitPlaneWeight, seed: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length: weight.rows * tableEntries(weight) }, () => random.normal())
}

function expectAscending(table: TrainedTable): void {
  const size = 2 ** table.bits
  valuesOf(table).forEach((value, i, all) => {
    expect(Number.isFinite(value)).toBe(true)
    if (i % size > 0) expect(value).toBeGreaterThanOrEqual(all[i - 1])
  })
}

test('the first step moves every entry by the rate, in units of its row and bit count, against its own gradient', () => {
  const planes = randomBitPlanes(1, 4, 40, 3, 5)
  // Entries so far apart that none passes another.
  const luts = planes.luts.map((lut, i) => lut.map((_, j) => f32ToF16(0.125 * ((j % 2 ** (3 + i)) - 2 ** (2 + i)))))
  const weight = { ...planes, luts }
  const tables = tablesOf('w.weight', weight, bits, deviations)
  const before = tables.map(valuesOf)
  const gradient = randomGradient(weight, 2)
  for (const [i, table] of tables.entries()) {
    trainTable(table, gradient, weight, 2 ** -7)
    const size = 2 ** table.bits
    const unit = [1, 0.4, 0.2][i]
    const found = valuesOf(table)
    before[i].forEach((value, j) => {
      const row = Math.floor(j / size)
      const g = gradient[row * 56 + (size - 8) + (j % size)]
      const wanted = value - Math.sign(g) * unit * deviations[row] * 2 ** -7
      expect(Math.abs(found[j] - wanted)).toBeLessThanOrEqual(2 ** -11 * Math.abs(wanted) + 1e-7)
    })
    // The third row's weights are all the same.
    expect(found.slice(2 * size, 3 * size)).toEqual(before[i].slice(2 * size, 3 * size))
  }
})

test('rows stay ascending, and offsets say what is stored', () => {
  const { weight, tables } = make()
  for (let step = 0; step < 50; step++) {
    for (const table of tables) {
      trainTable(table, randomGradient(weight, step), weight, 0.3)
      expectAscending(table)
    }
  }
  for (const table of tables) {
    const stored = valuesOf(table)
    writeTable(table)
    expect(valuesOf(table)).toEqual(stored)
    const equal = stored.filter((value, i) => i % 2 ** table.bits > 0 && value === stored[i - 1])
    expect(equal.length).toBeGreaterThan(0)
  }
})

test('entries that no weight reads stay; tables stay finite', () => {
  const { weight, tables } = make()
  const [table] = tables
  const before = valuesOf(table)
  const gradient = new Float32Array(weight.rows * tableEntries(weight))
  gradient[7] = -1
  trainTable(table, gradient, weight, 0.01)
  expect(valuesOf(table).slice(0, 7)).toEqual(before.slice(0, 7))
  expect(valuesOf(table)[7]).toBeGreaterThan(before[7])
  trainTable(table, gradient, weight, 1e9)
  expectAscending(table)
})

test('bit counts that a weight does not have are left out', () => {
  expect(tablesOf('w.weight', randomBitPlanes(1, 4, 40, 4, 8), bits, deviations).map((table) => table.bits)).toEqual([4, 5])
})
