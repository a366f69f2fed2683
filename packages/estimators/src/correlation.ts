/**
 * R², the squared correlation of estimates and errors: the part of the errors' variance that the best a · estimate + b
 * explains (`linregress`'s r², DP-LLM §5.1). 1 for errors that are all equal, which need no estimate; 0 for estimates that are
 * all equal where errors are not.
 */
export function squaredCorrelation(estimates: ArrayLike<number>, errors: ArrayLike<number>): number {
  const { varianceX, varianceY, covariance } = covariances(estimates, errors)
  if (varianceY === 0) return 1
  if (varianceX === 0) return 0
  return Math.min(1, (covariance * covariance) / (varianceX * varianceY))
}

/** Relative deviations that rounding to f32 alone makes: numbers that differ by no more are equal. */
const ROUNDING = 1e-7

/** Means, and sums of squares and products about them; a sum of squares is 0 for numbers that are equal but for rounding. */
export function covariances(x: ArrayLike<number>, y: ArrayLike<number>) {
  const n = x.length
  let [meanX, meanY] = [0, 0]
  for (let i = 0; i < n; i++) {
    meanX += x[i] / n
    meanY += y[i] / n
  }
  let [varianceX, varianceY, covariance] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [x[i] - meanX, y[i] - meanY]
    varianceX += dx * dx
    varianceY += dy * dy
    covariance += dx * dy
  }
  const orZero = (variance: number, mean: number) => (variance <= n * (ROUNDING * mean) ** 2 ? 0 : variance)
  return { meanX, meanY, varianceX: orZero(varianceX, meanX), varianceY: orZero(varianceY, meanY), covariance }
}
