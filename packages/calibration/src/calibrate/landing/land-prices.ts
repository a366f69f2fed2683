import { type CompiledProgram, type Policy, THRESHOLDS } from '@dpllm/core'
import { type BudgetLinear, fillPrices, priceThresholds } from '@dpllm/estimators'
import type { CalibrationRun } from '../calibration-run.js'
import { observe, watchingPolicy } from '../phases/observe.js'
import { tokensOf } from '../phases/select-windows.js'
import { priceFor } from './land-price.js'

/** The price of a target, and what was measured with it. */
export type LandedPrice = { readonly targetBits: number; readonly logPrice: number; readonly measuredBits: number }

/** Passes for a target at most: sensitivities are predicted from what earlier decisions have made of the residual. */
const PASSES = 3

/** Misses that are not worth another pass. */
const CLOSE_ENOUGH = 0.002

/** How near to the fewest or most bits a price is looked for: what no finite price gives cannot be interpolated to. */
const EDGE = 0.01

/**
 * Prices at which the running model reads its targets (decision 10): what the select operators estimate is recorded, the
 * price found for the records, and both again, since decisions change the estimates a little. Neighbours begin where the last
 * target ended.
 * @param program whose select operators read what probes read
 * @param range what all linears' fewest and most bits average; targets are ascending, and within it
 * @param bits that the linears read in the first pass
 */
export async function landPrices(
  { model, landing, signal, onProgress }: CalibrationRun,
  program: CompiledProgram,
  linears: readonly BudgetLinear[],
  { targets, range: [least, most] }: { targets: readonly number[]; range: readonly [number, number] },
  bits: readonly number[],
): Promise<LandedPrice[]> {
  const estimators = linears.map(({ probe }) => probe)
  const atPriceOne = priceThresholds(linears)
  const tokens = tokensOf(landing)
  const total = tokens * (1 + PASSES * targets.length)
  let before = 0
  const watch = async (policy: Policy) => {
    const onTokens = (done: number) => onProgress?.({ stage: 'prices', done: before + done, total, unit: 'tokens' })
    return observe(program, model.linears, landing, policy, { signal, onTokens })
  }
  let { estimates } = await watch(watchingPolicy(estimators, bits))
  const found: LandedPrice[] = []
  for (const [index, targetBits] of targets.entries()) {
    const wanted = Math.min(Math.max(targetBits, least + EDGE), most - EDGE)
    let best: LandedPrice | undefined
    for (let pass = 0; pass < PASSES; pass++) {
      before = tokens * (1 + PASSES * index + pass)
      const logPrice = priceFor(linears, estimates, wanted)
      const thresholds = new Float32Array(linears.length * THRESHOLDS)
      fillPrices(thresholds, atPriceOne, logPrice)
      const seen = await watch({ estimators, thresholds })
      estimates = seen.estimates
      const measuredBits = seen.effectiveBits
      if (best === undefined || Math.abs(measuredBits - wanted) < Math.abs(best.measuredBits - wanted))
        best = { targetBits, logPrice, measuredBits }
      if (Math.abs(measuredBits - wanted) <= CLOSE_ENOUGH) break
    }
    found.push(best!)
  }
  return found
}
