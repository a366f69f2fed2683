import { InvalidArgumentError, type Tensor } from '@dpllm/core'
import { allFinite } from './all-finite.js'
import type { ProbeEstimator } from './budget.js'
import type { LinearEstimators, PairEstimator } from './estimator-set.js'
import { SKETCH_QUANTILES } from './quantile-sketch.js'

/** Most linears of a model; the largest models with experts have some 10 thousand. */
export const MAX_LINEARS = 2 ** 18

/** Longest name, as in core's safetensors. */
export const MAX_NAME_LENGTH = 1000

/** Most bits that a pair may name: engines of others may count more than our eight. */
const MAX_PAIR_BITS = 32

/** Most rows of a projection: at 4096 an estimate is within 2 % and dearer than most linears. */
const MAX_ROWS = 4096

/** @throws InvalidArgumentError naming the linear and what is wrong with it */
export function checkLinears(linears: readonly LinearEstimators[]): void {
  if (linears.length > MAX_LINEARS) throw new InvalidArgumentError('linears', `at most ${MAX_LINEARS}`, linears.length)
  const names = new Set<string>()
  linears.forEach((linear, i) => {
    const { name, cols, pairs } = linear
    const where = `linears[${i}]`
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH)
      throw new InvalidArgumentError(`${where}.name`, `a name of 1 to ${MAX_NAME_LENGTH} characters`, name)
    if (names.has(name)) throw new InvalidArgumentError(`${where}.name`, 'a name that no other linear has', name)
    names.add(name)
    if (!(Number.isSafeInteger(cols) && cols >= 1)) throw new InvalidArgumentError(`${name}.cols`, 'a positive integer', cols)
    let lowest = 1
    for (const pair of pairs) {
      checkBits(name, pair, lowest)
      lowest = pair.high
      checkPair(`${name}.${pair.low}-${pair.high}`, pair, cols)
    }
  })
}

/** Pairs ascend and do not overlap, so that an average belongs to one of them. */
function checkBits(name: string, { low, high }: PairEstimator, lowest: number): void {
  if (!(Number.isInteger(low) && Number.isInteger(high) && lowest <= low && low < high && high <= MAX_PAIR_BITS))
    throw new InvalidArgumentError(`${name}.pairs`, `whole bits ${lowest} <= low < high <= ${MAX_PAIR_BITS}`, `${low}|${high}`)
}

function checkPair(where: string, { low, high, estimator, quantiles }: PairEstimator, cols: number): void {
  if (estimator.kind === 'linear') {
    for (const key of ['slope', 'intercept'] as const) {
      if (!Number.isFinite(estimator[key])) throw new InvalidArgumentError(`${where}.${key}`, 'a finite number', estimator[key])
    }
  } else if (estimator.kind === 'projection') {
    checkMatrix(`${where}.projection`, estimator.matrix, cols)
  } else if (estimator.kind === 'probe') {
    checkProbe(where, estimator, cols)
  } else if (estimator.kind === 'exact' && (estimator.low !== low || estimator.high !== high)) {
    throw new InvalidArgumentError(`${where}.estimator`, `exact for ${low}|${high}`, `${estimator.low}|${estimator.high}`)
  }
  if (quantiles.length !== SKETCH_QUANTILES)
    throw new InvalidArgumentError(`${where}.quantiles`, `${SKETCH_QUANTILES} quantiles`, quantiles.length)
  if (!quantiles.every((q, i) => Number.isFinite(q) && (i === 0 || q >= quantiles[i - 1])))
    throw new InvalidArgumentError(`${where}.quantiles`, 'finite numbers that do not descend', 'others')
}

function checkMatrix(where: string, { shape, data }: Tensor<'f32'>, cols: number): void {
  const [k, width] = shape
  if (shape.length !== 2 || width !== cols || !(Number.isInteger(k) && k >= 1 && k <= MAX_ROWS) || data.length !== k * cols)
    throw new InvalidArgumentError(where, `[1 to ${MAX_ROWS}, ${cols}]`, `[${shape}] with ${data.length} elements`)
  if (!allFinite(data)) throw new InvalidArgumentError(where, 'finite numbers', 'one that is not finite')
}

function checkProbe(where: string, { weights: { shape, data }, bias }: ProbeEstimator, cols: number): void {
  if (shape.length !== 1 || shape[0] !== cols || data.length !== cols)
    throw new InvalidArgumentError(`${where}.probe`, `[${cols}]`, `[${shape}] with ${data.length} elements`)
  if (!allFinite(data)) throw new InvalidArgumentError(`${where}.probe`, 'finite numbers', 'one that is not finite')
  if (!Number.isFinite(Math.fround(bias))) throw new InvalidArgumentError(`${where}.bias`, 'a number that is finite in f32', bias)
}
