import { decideBits, THRESHOLDS } from '@dpllm/core'
import { type BudgetLinear, fillPrices, priceThresholds } from '@dpllm/estimators'

/** Halvings of the interval of log prices: to 1e-9 of a nat. */
const HALVINGS = 44

/** Log prices between which every target lies: at the ends all linears read their most or fewest bits. */
export const LOG_PRICES: readonly [lowest: number, highest: number] = [-200, 200]

/**
 * The log price at which the mean bits over recorded estimates are nearest to a target: they fall as the price rises.
 * @param estimates f32 [tokens] of every linear, as the running model made them
 */
export function priceFor(linears: readonly BudgetLinear[], estimates: readonly Float32Array[], targetBits: number): number {
  const atPriceOne = priceThresholds(linears)
  let [low, high] = LOG_PRICES
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (bitsAt(linears, atPriceOne, estimates, middle) > targetBits) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * Mean bits over recorded estimates at a log price, weighted by parameters.
 * @param atPriceOne `priceThresholds` of the linears
 */
export function bitsAt(
  linears: readonly BudgetLinear[],
  atPriceOne: Float64Array,
  estimates: readonly Float32Array[],
  logPrice: number,
): number {
  const thresholds = new Float32Array(linears.length * THRESHOLDS)
  fillPrices(thresholds, atPriceOne, logPrice)
  let sum = 0
  let total = 0
  linears.forEach(({ weights, minBits, errors }, i) => {
    let bits = 0
    for (const estimate of estimates[i])
      bits += decideBits(estimate, thresholds, i * THRESHOLDS, minBits, minBits + errors.length - 1)
    sum += weights * bits
    total += weights * estimates[i].length
  })
  return sum / total
}
