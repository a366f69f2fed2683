import { createHash } from 'node:crypto'
import path from 'node:path'
import {
  type BitPlaneWeight,
  type Estimator,
  InvalidArgumentError,
  MIN_BITS,
  type OnProgress,
  type Tensor,
  UnsupportedError,
} from '@dpllm/core'
import { PROJECTION_ROWS } from '@dpllm/estimators'
import {
  type BackendName,
  checkProfileName,
  loadModel,
  type Model,
  type Profile,
  type ProfileData,
  projectionName,
  writeProfile,
} from '@dpllm/runtime'
import { projectionOf } from './projections.js'
import { findThresholds, thresholdRounds } from './thresholds.js'
import { calibrationWindows, checkWindows } from './windows.js'

export interface CalibrateOptions {
  /** Folder of a quantized model; the profile is written into its `profiles/`. */
  readonly model: string
  /** Text like that which the model will meet; documents may be separated by `<|endoftext|>`. Never evaluate on it. */
  readonly calibrationText: string
  /** Average bits for each weight that may be loaded; every linear's limit is its whole part. */
  readonly memoryBudget: number
  /** Average bits to make thresholds for, each from the seed's bits to the budget. */
  readonly targets: readonly number[]
  /** Default `dp-llm`, the only one so far: two neighbouring bit counts for each target. */
  readonly method?: string | undefined
  /** Default `projection`; `exact` computes both products at run time and is for comparison. */
  readonly estimator?: 'projection' | 'exact' | undefined
  readonly seed?: number | undefined
  /** Windows of `sequenceLength` tokens; default 16 of 256. */
  readonly samples?: number | undefined
  readonly sequenceLength?: number | undefined
  /** Name of the profile; default METHOD-BUDGET. */
  readonly name?: string | undefined
  readonly backend?: BackendName | 'auto' | undefined
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Measures an adaptation profile for a quantized model and writes it to `profiles/NAME.json`. The same options give
 * the same bytes.
 * @throws InvalidArgumentError, UnsupportedError for another method, and what `loadModel` throws
 */
export async function calibrateModel(options: CalibrateOptions): Promise<{ profile: Profile; path: string }> {
  const { method = 'dp-llm', estimator = 'projection', seed = 0, samples = 16, sequenceLength = 256, signal } = options
  if (method !== 'dp-llm')
    throw new UnsupportedError(`method ${method}: this version calibrates dp-llm (uniform needs no calibration)`)
  const { memoryBudget, targets, backend, threads } = options
  const name = options.name ?? `${method}-${memoryBudget}`
  checkTargets(memoryBudget, targets)
  checkWindows(samples, sequenceLength)
  checkProfileName(name)

  await using model = await loadModel(options.model, {
    profile: false,
    maxBits: Math.floor(memoryBudget),
    backend,
    threads,
    signal,
    onProgress: options.onProgress,
  })
  const length = Math.min(sequenceLength, model.config.contextLength)
  const windows = calibrationWindows(options.calibrationText, model.tokenizer, length, samples)
  if (windows.length === 0) {
    throw new InvalidArgumentError(
      'calibrationText',
      `at least one window of ${length} tokens (a longer text, or a smaller sequenceLength)`,
      'a shorter text',
    )
  }

  const projections = new Map<string, Tensor<'f32'>>()
  const found: ProfileData['targets'] = []
  for (const targetBits of [...targets].sort((a, b) => a - b)) {
    const [low, high] = [Math.floor(targetBits), Math.ceil(targetBits)]
    const label = `target ${targetBits}`
    if (low === high) {
      found.push({ targetBits, measuredBits: targetBits, linears: linearsOf(model, () => ({ low, high, threshold: null })) })
      continue
    }
    const estimators =
      estimator === 'exact'
        ? model.linears.map((): Estimator => ({ kind: 'exact', low, high }))
        : await makeProjections(model, low, high, projections, options)
    const { thresholds, measuredBits } = await findThresholds(
      model,
      windows,
      estimators,
      { low, high, targetBits },
      {
        signal,
        onRound: (done) => options.onProgress?.({ stage: label, done, total: thresholdRounds, unit: 'passes' }),
      },
    )
    found.push({ targetBits, measuredBits, linears: linearsOf(model, (i) => decision(low, high, thresholds[i])) })
  }

  const profile: Profile = {
    name,
    projections,
    data: {
      format: 1,
      method,
      memoryBudget,
      maxBits: Object.fromEntries(model.linears.map((linear) => [linear.module, linear.maxBits])),
      estimator,
      targets: found,
      provenance: {
        textSha256: createHash('sha256').update(options.calibrationText).digest('hex'),
        windows: windows.length,
        windowTokens: length,
        seed,
        projectionRows: PROJECTION_ROWS,
      },
    },
  }
  signal?.throwIfAborted()
  await writeProfile(options.model, profile)
  return { profile, path: path.join(options.model, 'profiles', `${name}.json`) }
}

function checkTargets(memoryBudget: number, targets: readonly number[]): void {
  if (!(memoryBudget >= MIN_BITS && memoryBudget <= 8))
    throw new InvalidArgumentError('memoryBudget', 'a number of bits from 3 to 8', memoryBudget)
  if (targets.length === 0) throw new InvalidArgumentError('targets', 'at least one target', 'none')
  for (const target of targets) {
    if (!(target >= MIN_BITS && target <= Math.floor(memoryBudget))) {
      throw new InvalidArgumentError(
        'targets',
        `numbers of bits from ${MIN_BITS} to the budget's ${Math.floor(memoryBudget)}`,
        target,
      )
    }
  }
}

/** A finite threshold, or a fixed bit count where the target sends all tokens one way. */
function decision(low: number, high: number, threshold: number) {
  if (threshold === Number.POSITIVE_INFINITY) return { low, high: low, threshold: null }
  if (threshold === Number.NEGATIVE_INFINITY) return { low: high, high, threshold: null }
  return { low, high, threshold }
}

function linearsOf<T>(model: Model, of: (index: number) => T): Record<string, T> {
  return Object.fromEntries(model.linears.map((linear, i) => [linear.module, of(i)]))
}

/** Estimators of all linears for a pair of bit counts; their matrices are added to `projections`. */
async function makeProjections(
  model: Model,
  low: number,
  high: number,
  projections: Map<string, Tensor<'f32'>>,
  { signal, onProgress, seed = 0 }: CalibrateOptions,
): Promise<Estimator[]> {
  const estimators: Estimator[] = []
  for (const [i, { module }] of model.linears.entries()) {
    signal?.throwIfAborted()
    const key = projectionName(module, low, high)
    let matrix = projections.get(key)
    if (matrix === undefined) {
      matrix = projectionOf(model.weights.get(`${module}.weight`) as BitPlaneWeight, low, high, seed + i)
      projections.set(key, matrix)
    }
    estimators.push({ kind: 'projection', matrix })
    // Lets an abort be seen: the loop itself never waits.
    await new Promise((resolve) => setImmediate(resolve))
    onProgress?.({ stage: `projections ${low}|${high}`, done: i + 1, total: model.linears.length, unit: 'linears' })
  }
  return estimators
}
