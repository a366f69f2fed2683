import { type Estimator, type Policy, THRESHOLDS } from '@dpllm/core'
import { type EstimatorCandidate, fillThresholds, type LinearEstimators, serializeEstimators } from '@dpllm/estimators'
import type { SelectInputs } from '@dpllm/runtime'
import { averageRange } from '../../allocation/allocate-bits.js'
import { hitTarget } from '../../allocation/hit-target.js'
import type { CalibrationRun } from '../calibration-run.js'
import { landingPasses, landShift } from '../landing/land-shift.js'
import { type TargetAverages, trainTargets } from '../phases/average-bits.js'
import { bitPairs } from '../phases/bit-pairs.js'
import { fisherLoadedCosts, type LoadedCosts } from '../phases/cost-tables.js'
import { estimateQuantiles } from '../phases/estimate-quantiles.js'
import { type FittedPair, fitEstimators } from '../phases/fit-estimators.js'
import { observe } from '../phases/observe.js'
import { probes } from '../phases/probes.js'
import { compileSelecting } from '../phases/select-inputs.js'
import { tokensOf } from '../phases/select-windows.js'
import type { MadePolicy } from './made-policy.js'

/**
 * How errors are estimated:
 * - `hybrid`, as published: linear where that fits, else a tuned random projection. `sketch`: else the better of that and a
 *   calibrated sketch.
 * - `exact`: the true error, which takes both products; for comparison.
 * - `probe`: the budget policy's predicted sensitivity instead of an error.
 */
export const estimatorNames = ['hybrid', 'sketch', 'exact', 'probe'] as const
export type EstimatorName = (typeof estimatorNames)[number]

export interface ThresholdOptions {
  readonly estimator: EstimatorName
  /** Whether estimates come from earlier residuals where that can be (DP-LLM §5.2); `exact` and `probe` have their own inputs. */
  readonly asynchronous: boolean
  /** Times that Phase 2 goes through the windows. */
  readonly epochs: number
  /** Steps of Phase 2 for each target instead. */
  readonly steps?: number | undefined
}

const candidates: Record<'hybrid' | 'sketch', EstimatorCandidate[]> = {
  hybrid: ['projection'],
  sketch: ['projection', 'sketch'],
}

/** DP-LLM (its three phases): two neighbouring bit counts for each linear, a threshold on its estimated error between them. */
export async function thresholdPolicyOf(run: CalibrationRun, options: ThresholdOptions): Promise<MadePolicy> {
  const costs = await fisherLoadedCosts(run)
  const [least, most] = averageRange(costs.linears)
  const targets = run.targets.map((target) => Math.min(Math.max(target, least), most))
  const averages = await trainTargets(run, costs.maxBits, [...new Set(targets)], options)
  const middle = hitTarget(costs.linears, { targetBits: targets[Math.floor(targets.length / 2)] }).bits
  const selectInputs = selectInputsOf(options)
  const pairs = await pairsOf(run, costs, middle, selectInputs, options)

  await using program = await compileSelecting(run.model, selectInputs)
  const linears = await estimateQuantiles(run, program, pairs, middle)
  const landed = await landTargets(run, program, linears, costs, averages)
  const { header, tensors } = serializeEstimators(linears)
  return {
    maxBits: costs.maxBits,
    policy: { kind: 'threshold', selectInputs, targets: landed, estimators: header },
    tensors,
    provenance: { estimator: options.estimator, averageBitsSteps: averages[0].steps },
  }
}

function selectInputsOf({ estimator, asynchronous }: ThresholdOptions): SelectInputs {
  if (estimator === 'probe') return 'residual'
  return asynchronous && estimator !== 'exact' ? 'asynchronous' : 'own'
}

async function pairsOf(
  run: CalibrationRun,
  { maxBits }: LoadedCosts,
  bits: readonly number[],
  selectInputs: SelectInputs,
  { estimator }: ThresholdOptions,
): Promise<readonly (readonly FittedPair[])[]> {
  if (estimator === 'hybrid' || estimator === 'sketch')
    return fitEstimators(run, { maxBits, bits, selectInputs, candidates: candidates[estimator] })
  const probed = estimator === 'probe' ? await probes(run) : undefined
  return run.model.linears.map((linear, i) =>
    bitPairs(linear, maxBits[i]).map((pair) => {
      const made: Estimator = probed === undefined ? { kind: 'exact', ...pair } : probed[i].probe
      return { ...pair, estimator: made }
    }),
  )
}

/** Brings every target's bits to it (`landShift`). */
async function landTargets(
  { model, landing, signal, onProgress }: CalibrationRun,
  program: Awaited<ReturnType<typeof compileSelecting>>,
  linears: readonly LinearEstimators[],
  { maxBits }: LoadedCosts,
  averages: readonly TargetAverages[],
) {
  const tokens = tokensOf(landing)
  const total = averages.length * landingPasses * tokens
  const targets = []
  for (const [index, { targetBits, averageBits }] of averages.entries()) {
    const measure = async (shift: number, pass: number) => {
      const before = (index * landingPasses + pass) * tokens
      const onTokens = (done: number) => onProgress?.({ stage: 'thresholds', done: before + done, total, unit: 'tokens' })
      const shifted = averageBits.map((p, i) => Math.min(Math.max(p + shift, model.linears[i].minBits), maxBits[i]))
      const policy = policyAt(linears, shifted)
      return (await observe(program, model.linears, landing, policy, { signal, onTokens })).effectiveBits
    }
    const { shift, measuredBits } = await landShift(targetBits, measure)
    const modules = Object.fromEntries(model.linears.map(({ module }, i) => [module, averageBits[i]]))
    targets.push({ targetBits, shift, measuredBits, averageBits: modules })
  }
  return targets
}

function policyAt(linears: readonly LinearEstimators[], averageBits: readonly number[]): Policy {
  const thresholds = new Float32Array(linears.length * THRESHOLDS)
  const decisions = fillThresholds(thresholds, linears, averageBits)
  return { estimators: decisions.map(({ pair }) => pair?.estimator ?? { kind: 'none' }), thresholds }
}
