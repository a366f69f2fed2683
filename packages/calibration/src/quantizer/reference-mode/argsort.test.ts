import fc from 'fast-check'
import { expect, test } from 'vitest'
import { argsort } from './argsort.js'

test('is the stable order of the values', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(-0, 2 ** -149, -(2 ** -149), 65504, -65504),
  )
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), (numbers) => {
      const values = Float32Array.from(numbers)
      // Subtracting compares −0 and +0 as equal; Array's sort is stable.
      const wanted = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b])
      expect(Array.from(argsort(values))).toEqual(wanted)
    }),
    { numRuns: 500 },
  )
})
