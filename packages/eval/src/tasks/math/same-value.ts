import { createRandom } from '@dpllm/core'
import { collectVariables, type Expression, evaluate } from './expression.js'

/** Relative; answers are a few operations in double precision away from exact. */
const TOLERANCE = 1e-10
/** Where a value is 0 in exact arithmetic. */
const ABSOLUTE = 1e-12
/** Points at which expressions with variables are compared, and how many of them both must be defined at. */
const POINTS = 12
const LEAST_DEFINED = 3

/**
 * Whether two expressions have the same value, for all values of their variables: compared at random points, where two
 * different ones agree with probability next to 0 (Schwartz–Zippel). Undefined at the same points.
 */
export function sameValue(a: Expression, b: Expression): boolean {
  return compareAtPoints(a, b, (pairs) => pairs.every(([x, y]) => near(x, y)))
}

/** Whether a = 0 and b = 0 are the same equation: whether the two are a constant multiple of each other. */
export function proportional(a: Expression, b: Expression): boolean {
  return compareAtPoints(a, b, (pairs) => {
    const [x0, y0] = pairs[0]
    return x0 !== 0 && y0 !== 0 && pairs.every(([x, y]) => near(x * y0, y * x0))
  })
}

function compareAtPoints(
  a: Expression,
  b: Expression,
  same: (pairs: readonly (readonly [number, number])[]) => boolean,
): boolean {
  const names = new Set<string>()
  collectVariables(a, names)
  collectVariables(b, names)
  const random = createRandom(1)
  const count = names.size === 0 ? 1 : POINTS
  const pairs: (readonly [number, number])[] = []
  for (let i = 0; i < count; i++) {
    const point = new Map([...names].map((name) => [name, 6 * random.uniform() - 3]))
    const [x, y] = [evaluate(a, point), evaluate(b, point)]
    if (Number.isNaN(x) !== Number.isNaN(y)) return false
    if (!Number.isNaN(x)) pairs.push([x, y])
  }
  return pairs.length >= Math.min(count, LEAST_DEFINED) && same(pairs)
}

function near(x: number, y: number): boolean {
  return Math.abs(x - y) <= Math.max(ABSOLUTE, TOLERANCE * Math.max(Math.abs(x), Math.abs(y)))
}
