import { toFloat16 } from '@dpllm/core'
import { expect, test } from 'vitest'
import { rowDeviations } from './row-deviations.js'

test('the standard deviation of every row, whatever the dtype', () => {
  const data = Float32Array.of(1, 3, 5, 7, 2, 2, 2, 2)
  const wanted = Float32Array.of(Math.sqrt(5), 0)
  expect(rowDeviations({ dtype: 'f32', shape: [2, 4], data })).toEqual(wanted)
  expect(rowDeviations({ dtype: 'f16', shape: [2, 4], data: toFloat16(data) })).toEqual(wanted)
})
