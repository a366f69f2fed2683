import type { Tensor } from '@dpllm/core'
import { averageRange } from '../../allocation/allocate-bits.js'
import { hitTarget } from '../../allocation/hit-target.js'
import { meanErrorCosts } from '../../budget/mean-error-costs.js'
import type { CalibrationRun } from '../calibration-run.js'
import { landPrices } from '../landing/land-prices.js'
import { loadedCosts } from '../phases/cost-tables.js'
import { probes } from '../phases/probes.js'
import { compileSelecting } from '../phases/select-inputs.js'
import { targetGrid } from '../target-grid.js'
import type { MadePolicy } from './made-policy.js'

/** Targets whose prices are measured besides those asked for; between them prices are interpolated. */
const GRID = 0.25

/** Besides the ends, targets so near to them: feedback asks for bits beyond its target, and the price there rises steeply. */
const MARGIN = 0.05

/**
 * The budget policy (decision 10): every linear takes the bit count at which the predicted sensitivity of this token times
 * its mean error, plus the price of its bits, is least. What is loaded is chosen by the same errors.
 */
export async function budgetPolicyOf(run: CalibrationRun): Promise<MadePolicy> {
  const all = await probes(run)
  const costs = loadedCosts(run, meanErrorCosts(all))
  const linears = all.map((linear, i) => ({ ...linear, errors: linear.errors.slice(0, costs.maxBits[i] - linear.minBits + 1) }))
  const [least] = averageRange(costs.linears)
  const most = costs.averageBits
  const targets = targetGrid([...run.targets, least, least + MARGIN, most - MARGIN, most], least, most, GRID)
  const middle = hitTarget(costs.linears, { targetBits: targets[Math.floor(targets.length / 2)] })
  const settings = { targets, maxBits: costs.maxBits, windows: run.windows.length, landing: run.landing.length, seed: run.seed }
  const landed = await run.work.kept('prices', settings, async () => {
    await using program = await compileSelecting(run.model, 'residual')
    return await landPrices(run, program, linears, { targets, range: [least, most] }, middle.bits)
  })
  return {
    maxBits: costs.maxBits,
    policy: {
      kind: 'budget',
      // A target so near another that theirs is one price is served by the other.
      prices: landed.filter(({ logPrice }, i) => i === 0 || logPrice < landed[i - 1].logPrice),
      linears: linears.map(({ name, minBits, errors, probe }) => ({ name, minBits, errors: [...errors], bias: probe.bias })),
    },
    tensors: new Map(linears.map(({ name, probe }): [string, Tensor<'f32'>] => [`${name}.probe`, probe.weights])),
    provenance: {},
  }
}
