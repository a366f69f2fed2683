import { type Estimator, InvalidArgumentError, isBitPlanes, lutOf, matrixShape, type Weight, type Weights } from '@dpllm/core'
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
  return estimators.map((estimator, i) => lowerEstimator(estimator, weights.get(selects[i])!, `estimators[${i}]`))
}

function lowerEstimator(estimator: Estimator, weight: Weight, where: string): NativeEstimator {
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
      const [, wanted] = matrixShape(weight)
      if (shape.length !== 2 || cols !== wanted || data.length !== rows * cols) {
        throw new InvalidArgumentError(
          `${where}.matrix`,
          `f32 [k, ${wanted}]`,
          `[${shape.join(', ')}] with ${data.length} elements`,
        )
      }
      return { kind: estimatorKinds.projection, matrix: data, rows }
    }
  }
}
