import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import type { Estimator } from './policy.js'

/**
 * Checks that estimators fit the select operators that they are for. Backends call it once for each array of estimators,
 * when they first see it.
 * @param weights of each select operator
 * @param widths D of each select operator's x [T, D]
 * @throws InvalidArgumentError naming the estimator
 */
export function checkEstimators(
  estimators: readonly Estimator[],
  weights: readonly BitPlaneWeight[],
  widths: readonly number[],
): void {
  estimators.forEach((estimator, i) => {
    const width = widths[i]
    const where = `policy.estimators[${i}]`
    if (estimator.kind === 'projection') {
      const { shape, data } = estimator.matrix
      if (shape.length !== 2 || shape[1] !== width || data.length !== shape[0] * width) {
        throw new InvalidArgumentError(where, `a matrix [k, ${width}]`, `[${shape}] with ${data.length} elements`)
      }
    } else if (estimator.kind === 'exact') {
      checkExact(where, estimator.low, estimator.high, weights[i], width)
    } else if (estimator.kind === 'linear') {
      const { slope, intercept } = estimator
      if (!Number.isFinite(Math.fround(slope)) || !Number.isFinite(Math.fround(intercept))) {
        throw new InvalidArgumentError(
          where,
          'a slope and intercept that are finite in f32',
          `slope ${slope}, intercept ${intercept}`,
        )
      }
    } else if (estimator.kind === 'probe') {
      const { shape, data } = estimator.weights
      if (shape.length !== 1 || shape[0] !== width || data.length !== width)
        throw new InvalidArgumentError(where, `weights [${width}]`, `[${shape}] with ${data.length} elements`)
      if (!Number.isFinite(Math.fround(estimator.bias)))
        throw new InvalidArgumentError(where, 'a bias that is finite in f32', estimator.bias)
    }
  })
}

/** Errors of the weight's own product need what the weight is multiplied with. */
function checkExact(where: string, low: number, high: number, { cols, seedBits, maxBits }: BitPlaneWeight, width: number): void {
  if (!(Number.isInteger(low) && Number.isInteger(high) && seedBits <= low && low < high && high <= maxBits))
    throw new InvalidArgumentError(where, `${seedBits} <= low < high <= ${maxBits}`, `low ${low}, high ${high}`)
  if (width !== cols)
    throw new InvalidArgumentError(where, `x [T, ${cols}], as wide as the weight, for exact estimates`, `[T, ${width}]`)
}
