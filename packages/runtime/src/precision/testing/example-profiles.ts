import { createRandom, type Estimator, type Tensor } from '@dpllm/core'
import { type LinearEstimators, SKETCH_QUANTILES, serializeEstimators } from '@dpllm/estimators'
import type { LinearInfo } from '../../model/linears.js'
import type { SelectInputs } from '../../models/select-inputs.js'
import type { AdaptiveLinear } from '../../profile/adaptive-linears.js'
import { type Profile, probeName } from '../../profile/profile.js'
import type { PolicyData, ThresholdPolicyData } from '../../profile/schema.js'

/** Values of the residual stream in these models. */
export const residualWidth = 4

/** A loaded linear; linears of one model differ in size, so that weights of means show. */
export function linearInfo(module: string, changes: Partial<LinearInfo> = {}): LinearInfo {
  return { module, rows: 4, cols: 4, minBits: 3, maxBits: 5, ...changes }
}

/** The same as its files have it. */
export function adaptiveMap(linears: readonly LinearInfo[]): Map<string, AdaptiveLinear> {
  return new Map(
    linears.map(({ module, rows, cols }) => [module, { rows, cols, residualWidth, bits: [3, 4, 5, 6] } satisfies AdaptiveLinear]),
  )
}

function profileOf(
  method: string,
  linears: readonly LinearInfo[],
  policy: PolicyData,
  tensors: ReadonlyMap<string, Tensor<'f32'>>,
): Profile {
  const maxBits = Object.fromEntries(linears.map((linear) => [linear.module, linear.maxBits]))
  return { name: method, data: { format: 2, method, memoryBudget: 5, maxBits, policy, provenance: { seed: 1 } }, tensors }
}

/** Allocations at 3.25 (all linears at 3 bits, the last at 4) and 4.5 (4 and 5), or the most that a linear has. */
export function staticProfile(linears: readonly LinearInfo[], method = 'static'): Profile {
  const bits = (all: number, last: number) =>
    Object.fromEntries(
      linears.map(({ module, maxBits }, i) => [module, Math.min(i === linears.length - 1 ? last : all, maxBits)]),
    )
  const policy: PolicyData = {
    kind: 'static',
    allocations: [
      { targetBits: 3.25, averageBits: 3.2, bits: bits(3, 4) },
      { targetBits: 4.5, averageBits: 4.5, bits: bits(4, 5) },
    ],
  }
  return profileOf(method, linears, policy, new Map())
}

/**
 * Pairs 3|4 and on to the most bits, with quantiles 0 … 1 of each (`quantiles` changes them) and the estimator that
 * `estimatorOf` says. Averages at targets 3.5 and 4.25 lie around them.
 */
export function thresholdProfile(
  linears: readonly LinearInfo[],
  options: {
    readonly selectInputs?: SelectInputs
    readonly targets?: ThresholdPolicyData['targets']
    readonly quantiles?: (index: number) => number
    readonly estimatorOf?: (linear: LinearInfo, low: number, high: number) => Estimator
  } = {},
): Profile {
  const { selectInputs = 'own', quantiles = (i) => i / (SKETCH_QUANTILES - 1), estimatorOf = exactEstimator } = options
  const estimators = linears.map((linear): LinearEstimators => {
    const { module, cols, minBits, maxBits } = linear
    const pairs = Array.from({ length: maxBits - minBits }, (_, i) => {
      const [low, high] = [minBits + i, minBits + i + 1]
      const sketch = Float32Array.from({ length: SKETCH_QUANTILES }, (_, q) => quantiles(q))
      return { low, high, estimator: estimatorOf(linear, low, high), quantiles: sketch }
    })
    return { name: module, cols: selectInputs === 'residual' ? residualWidth : cols, pairs }
  })
  const { header, tensors } = serializeEstimators(estimators)
  const averages = (p: number) => Object.fromEntries(linears.map(({ module }, i) => [module, p + (i % 2 ? -0.25 : 0.25)]))
  const targets = options.targets ?? [
    { targetBits: 3.5, shift: 0.01, measuredBits: 3.5, averageBits: averages(3.5) },
    { targetBits: 4.25, shift: -0.02, measuredBits: 4.25, averageBits: averages(4.25) },
  ]
  return profileOf('dp-llm', linears, { kind: 'threshold', selectInputs, targets, estimators: header }, tensors)
}

function exactEstimator(_: LinearInfo, low: number, high: number): Estimator {
  return { kind: 'exact', low, high }
}

/** A projection of two rows whose numbers are not f16 numbers. */
export function projectionEstimator({ cols }: LinearInfo, low: number, high: number): Estimator {
  const random = createRandom(10 * low + high)
  return {
    kind: 'projection',
    matrix: { dtype: 'f32', shape: [2, cols], data: Float32Array.from({ length: 2 * cols }, random.normal) },
  }
}

/** Errors that halve with each bit, probes of random numbers, and prices from 3.25 to 4.75 bits. */
export function budgetProfile(linears: readonly LinearInfo[], width = residualWidth): Profile {
  const random = createRandom(5)
  const tensors = new Map<string, Tensor<'f32'>>()
  for (const { module } of linears) {
    tensors.set(probeName(module), { dtype: 'f32', shape: [width], data: Float32Array.from({ length: width }, random.normal) })
  }
  const policy: PolicyData = {
    kind: 'budget',
    prices: [
      { targetBits: 3.25, logPrice: 1, measuredBits: 3.25 },
      { targetBits: 4, logPrice: -1, measuredBits: 4 },
      { targetBits: 4.75, logPrice: -4, measuredBits: 4.75 },
    ],
    linears: linears.map(({ module, minBits, maxBits }, i) => ({
      name: module,
      minBits,
      errors: Array.from({ length: maxBits - minBits + 1 }, (_, j) => (i + 1) * 2 ** -j),
      bias: 0.5 - i,
    })),
  }
  return profileOf('budget', linears, policy, tensors)
}
