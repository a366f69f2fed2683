import { type Estimator, InvalidArgumentError, isBitPlanes, lutOf, type Weights } from '@dpllm/core'
import { estimatorKinds, type NativeEstimator } from './native-types.js'

/**
 * Checks a policy's estimators and writes them as the addon takes them.
 * @param selects weights of the select operators, in order
 * @throws InvalidArgumentError
 */
export function lowerEstimators(
  estimators: readonly Estimator[],
  selects: readonly string[],
  weights: Weights,
): NativeEstimator[] {
  return estimators.map((estimator, i) => {
    const weight = weights.get(selects[i])!
    switch (estimator.kind) {
      case 'none':
        return { kind: estimatorKinds.none }
      case 'exact': {
        const { low, high } = estimator
        if (isBitPlanes(weight)) for (const bits of [low, high]) lutOf(weight, bits)
        return { kind: estimatorKinds.exact, low, high }
      }
      case 'projection': {
        const { shape, data } = estimator.matrix
        const [rows, cols] = shape
        const wanted = isBitPlanes(weight) ? weight.cols : 0
        if (shape.length !== 2 || cols !== wanted || data.length !== rows * cols) {
          throw new InvalidArgumentError(
            `estimators[${i}].matrix`,
            `f32 [k, ${wanted}]`,
            `[${shape.join(', ')}] with ${data.length} elements`,
          )
        }
        return { kind: estimatorKinds.projection, matrix: data, rows }
      }
    }
  })
}
