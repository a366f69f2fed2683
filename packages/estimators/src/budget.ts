import { type Estimator, InvalidArgumentError, MAX_BITS, MIN_BITS, THRESHOLDS } from '@dpllm/core'
import { descendingHull } from './hull.js'

/** An estimator whose estimate is one dot product: the logarithm of a linear's sensitivity at a token. */
export type ProbeEstimator = Extract<Estimator, { readonly kind: 'probe' }>

/** What the policy of one price per bit knows of a linear. */
export interface BudgetLinear {
  /** For messages. */
  readonly name: string
  /** N · K: what one bit more reads. */
  readonly weights: number
  /** The fewest bits that can be read. */
  readonly minBits: number
  /**
   * f64 [bit counts]: the mean error at minBits + j bits, in units of the loss: what a token of sensitivity 1 loses. Finite,
   * not negative; as many as there are bit counts to choose from. Bit counts that do not pay (on or above the lower
   * convex hull) are never chosen.
   */
  readonly errors: Float64Array
  /** e(x) = log s(x), the sensitivity of the loss to this linear's error at a token, relative to the mean. */
  readonly probe: ProbeEstimator
}

/**
 * The thresholds, at the price 1, above which every linear takes for a token the bit count b that minimises
 * s · errors[b] + price · weights · b, where e = log s is the probe's estimate: the Lagrangian of the lowest sum of errors
 * with a given mean of bits, so one price for all linears and tokens. As it is linear in s, only vertices of the lower
 * convex hull of `errors` are ever the minimum, and the next one is from e > log(weights · step / drop) + log price on, with
 * the step in bits to it and the drop of the error there. Bit counts that the hull passes over share that threshold; where
 * the table has no further drop, and beyond its end, it is +∞, below `minBits` −∞.
 * @returns f64 [linears, THRESHOLDS], for `fillPrices`
 * @throws InvalidArgumentError
 */
export function priceThresholds(linears: readonly BudgetLinear[]): Float64Array {
  const thresholds = new Float64Array(linears.length * THRESHOLDS)
  linears.forEach((linear, i) => {
    checkBudgetLinear(linear)
    const { weights, minBits, errors } = linear
    const row = thresholds.subarray(i * THRESHOLDS, (i + 1) * THRESHOLDS)
    const first = minBits - MIN_BITS
    row.fill(Number.NEGATIVE_INFINITY, 0, first).fill(Number.POSITIVE_INFINITY, first)
    const hull = descendingHull(errors)
    for (let v = 1; v < hull.length; v++) {
      const [from, to] = [hull[v - 1], hull[v]]
      row.fill(Math.log(weights * (to - from)) - Math.log(errors[from] - errors[to]), first + from, first + to)
    }
  })
  return thresholds
}

/**
 * Writes the thresholds of a price: a change of it adds the same to all of them, and is the way to another target, cheap
 * enough for between two tokens.
 * @param out f32 [linears, THRESHOLDS]: `Policy.thresholds`
 * @param thresholds of `priceThresholds`
 * @param logPrice natural logarithm of the price of a bit of one weight, in units of the errors
 * @throws InvalidArgumentError before anything is written
 */
export function fillPrices(out: Float32Array, thresholds: Float64Array, logPrice: number): void {
  if (out.length !== thresholds.length)
    throw new InvalidArgumentError('out', `${thresholds.length} elements, as thresholds has`, out.length)
  if (!Number.isFinite(logPrice)) throw new InvalidArgumentError('logPrice', 'a finite number', logPrice)
  for (let i = 0; i < out.length; i++) out[i] = thresholds[i] + logPrice
}

function checkBudgetLinear({ name, weights, minBits, errors }: BudgetLinear): void {
  if (!(Number.isSafeInteger(weights) && weights >= 1))
    throw new InvalidArgumentError(`${name}.weights`, 'a positive integer', weights)
  if (!(Number.isInteger(minBits) && minBits >= MIN_BITS && minBits <= MAX_BITS))
    throw new InvalidArgumentError(`${name}.minBits`, `an integer from ${MIN_BITS} to ${MAX_BITS}`, minBits)
  const most = MAX_BITS - minBits + 1
  if (!(errors.length >= 1 && errors.length <= most))
    throw new InvalidArgumentError(`${name}.errors`, `1 to ${most}, for ${minBits} to at most ${MAX_BITS} bits`, errors.length)
  const wrong = errors.find((error) => !(error >= 0 && error < Number.POSITIVE_INFINITY))
  if (wrong !== undefined) throw new InvalidArgumentError(`${name}.errors`, 'finite numbers that are not negative', wrong)
}
