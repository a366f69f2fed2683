import { type Estimator, FileFormatError, InvalidArgumentError, isJsonObject, type Tensor, UnsupportedError } from '@dpllm/core'
import { checkLinears, MAX_LINEARS } from './check-estimators.js'
import type { LinearEstimators, PairEstimator } from './estimator-set.js'
import { FORMAT, FORMAT_VERSION, pairKey } from './serialize.js'

/** Most pairs of one linear. */
const MAX_PAIRS = 32

/**
 * Reads what `serializeEstimators` wrote, from a source that is not trusted: everything is checked. Tensors that no
 * estimator names are ignored, so they may share a file with others. Nothing is copied.
 * @param header parsed JSON
 * @param tensors by name, from the same file
 * @param file for messages
 * @throws FileFormatError naming the item, UnsupportedError for a version that is newer than this package
 */
export function deserializeEstimators(
  header: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  file = 'estimators',
): LinearEstimators[] {
  if (!isJsonObject(header) || header.format !== FORMAT) throw new FileFormatError(file, `is not of the format ${FORMAT}`)
  const { version } = header
  if (!(typeof version === 'number' && Number.isInteger(version) && version >= 1))
    throw new FileFormatError(file, `expected a version number from 1 on`, { item: 'version' })
  if (version > FORMAT_VERSION) {
    throw new UnsupportedError(
      `${file}: has version ${version} of ${FORMAT}, this package reads up to ${FORMAT_VERSION}; upgrade it`,
    )
  }
  const linears = arrayOf(file, 'linears', header.linears, MAX_LINEARS).map((value, i): LinearEstimators => {
    const item = `linears[${i}]`
    const { name, cols, pairs } = objectOf(file, item, value)
    if (typeof name !== 'string') throw new FileFormatError(file, 'expected a string', { item: `${item}.name` })
    return {
      name,
      cols: numberOf(file, `${item}.cols`, cols),
      pairs: arrayOf(file, `${item}.pairs`, pairs, MAX_PAIRS).map((pair, j) =>
        pairOf(file, `${item}.pairs[${j}]`, name, pair, tensors),
      ),
    }
  })
  try {
    checkLinears(linears)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new FileFormatError(file, error.message, { cause: error })
  }
  return linears
}

function pairOf(file: string, item: string, name: string, value: unknown, tensors: ReadonlyMap<string, Tensor>): PairEstimator {
  const pair = objectOf(file, item, value)
  const low = numberOf(file, `${item}.low`, pair.low)
  const high = numberOf(file, `${item}.high`, pair.high)
  const key = pairKey(name, low, high)
  const header = objectOf(file, `${item}.estimator`, pair.estimator)
  return {
    low,
    high,
    estimator: estimatorOf(file, `${item}.estimator`, header, low, high, (what) => tensorOf(file, `${key}.${what}`, tensors)),
    quantiles: tensorOf(file, `${key}.quantiles`, tensors).data,
  }
}

function estimatorOf(
  file: string,
  item: string,
  header: Record<string, unknown>,
  low: number,
  high: number,
  tensor: (what: 'projection' | 'probe') => Tensor<'f32'>,
): Estimator {
  const { kind } = header
  if (kind === 'none') return { kind }
  if (kind === 'exact') return { kind, low, high }
  if (kind === 'projection') return { kind, matrix: tensor(kind) }
  if (kind === 'probe') return { kind, weights: tensor(kind), bias: numberOf(file, `${item}.bias`, header.bias) }
  if (kind === 'linear') {
    const [slope, intercept] = [header.slope, header.intercept]
    return { kind, slope: numberOf(file, `${item}.slope`, slope), intercept: numberOf(file, `${item}.intercept`, intercept) }
  }
  throw new FileFormatError(file, 'expected none, exact, linear, projection or probe', { item: `${item}.kind` })
}

function tensorOf(file: string, name: string, tensors: ReadonlyMap<string, Tensor>): Tensor<'f32'> {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new FileFormatError(file, 'expected a tensor, found none', { item: name })
  if (tensor.dtype !== 'f32') throw new FileFormatError(file, `expected f32, found ${tensor.dtype}`, { item: name })
  return tensor as Tensor<'f32'>
}

function objectOf(file: string, item: string, value: unknown): Record<string, unknown> {
  if (!isJsonObject(value)) throw new FileFormatError(file, 'expected an object', { item })
  return value
}

function arrayOf(file: string, item: string, value: unknown, most: number): unknown[] {
  if (!Array.isArray(value) || value.length > most)
    throw new FileFormatError(file, `expected an array of at most ${most}`, { item })
  return value
}

function numberOf(file: string, item: string, value: unknown): number {
  if (typeof value !== 'number') throw new FileFormatError(file, 'expected a number', { item })
  return value
}
