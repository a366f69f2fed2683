import { expect, test } from 'vitest'
import { createPythonRandom } from './python-random.js'

// CPython 3.11: random.Random(1234).getrandbits(32), .sample(range(n), k).
test('numbers and samples are those of CPython', () => {
  const words = createPythonRandom(1234)
  expect([words.uint32(), words.uint32(), words.uint32()]).toEqual([4150886329, 3342196574, 1892932127])
  const random = createPythonRandom(1234)
  expect([random.sample(7473, 5), random.sample(7473, 5), random.sample(7473, 5)]).toEqual([
    [6374, 3610, 957, 61, 742],
    [7462, 6610, 4769, 286, 5501],
    [5677, 687, 806, 6279, 2905],
  ])
  const few = createPythonRandom(1234)
  expect([few.sample(20, 5), few.sample(100, 10), few.sample(80, 10)]).toEqual([
    [14, 3, 0, 2, 1],
    [85, 88, 10, 12, 98, 45, 30, 2, 3, 44],
    [79, 61, 59, 19, 11, 23, 14, 1, 64, 62],
  ])
})
