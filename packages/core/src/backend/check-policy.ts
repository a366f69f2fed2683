import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import type { Estimator } from './policy.js'

/**
 * Checks that estimators fit the weights of the select operators that they are for. Backends call it once for each
 * array of estimators, when they first see it.
 */
export function checkEstimators(estimators: readonly Estimator[], weights: readonly BitPlaneWeight[]): void {
  estimators.forEach((estimator, i) => {
    const { cols, seedBits, maxBits } = weights[i]
    const where = `policy.estimators[${i}]`
    if (estimator.kind === 'projection') {
      const { shape, data } = estimator.matrix
      if (shape.length !== 2 || shape[1] !== cols || data.length !== shape[0] * cols) {
        throw new InvalidArgumentError(where, `a matrix [k, ${cols}]`, `[${shape}] with ${data.length} elements`)
      }
    } else if (estimator.kind === 'exact') {
      const { low, high } = estimator
      if (!(Number.isInteger(low) && Number.isInteger(high) && seedBits <= low && low < high && high <= maxBits)) {
        throw new InvalidArgumentError(where, `${seedBits} <= low < high <= ${maxBits}`, `low ${low}, high ${high}`)
      }
    } else if (estimator.kind === 'linear') {
      const { slope, intercept } = estimator
      if (!Number.isFinite(Math.fround(slope)) || !Number.isFinite(Math.fround(intercept))) {
        throw new InvalidArgumentError(
          where,
          'a slope and intercept that are finite in f32',
          `slope ${slope}, intercept ${intercept}`,
        )
      }
    }
  })
}
