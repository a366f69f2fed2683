import { averageRange, type CostedLinear, capBits } from '../../allocation/allocate-bits.js'
import { blockOf } from '../../allocation/block-of.js'
import { costedLinears, hawqV2Costs, llmMqCosts, lsaqCosts } from '../../allocation/cost-tables.js'
import { hitTarget } from '../../allocation/hit-target.js'
import { measureBlockImportance } from '../../allocation/measure-block-importance.js'
import { meanErrorCosts } from '../../budget/mean-error-costs.js'
import { type CalibrationRun, windowSettings } from '../calibration-run.js'
import { fisherLoadedCosts, type LoadedCosts, loadedCosts } from '../phases/cost-tables.js'
import { probes } from '../phases/probes.js'
import { quantizationErrors } from '../phases/quantization-errors.js'
import { targetGrid } from '../target-grid.js'
import type { MadePolicy } from './made-policy.js'

/** Methods that give every linear the same bits for all tokens. */
export const staticMethods = ['static', 'llm-mq', 'hawq-v2', 'lsaq'] as const
export type StaticMethodName = (typeof staticMethods)[number]

/** Targets that a profile has besides those asked for. */
const GRID = 0.05

/**
 * A baseline's bits for every target (algorithms.md §3), all by the protocol of DP-LLM appendix B.2 (`hitTarget`) within what
 * Phase 1 loads. `static` takes the budget policy's mean errors for costs, also for what is loaded.
 */
export async function staticPolicyOf(run: CalibrationRun, method: StaticMethodName): Promise<MadePolicy> {
  const { model, targets } = run
  const { linears, maxBits, averageBits } = await costsOf(run, method)
  const [least] = averageRange(linears)
  const allocations = targetGrid([...targets, least, averageBits], least, averageBits, GRID).map((targetBits) => {
    const { bits, averageBits } = hitTarget(linears, { targetBits })
    return { targetBits, averageBits, bits: Object.fromEntries(model.linears.map(({ module }, i) => [module, bits[i]])) }
  })
  return { maxBits, policy: { kind: 'static', allocations }, tensors: new Map(), provenance: {} }
}

async function costsOf(run: CalibrationRun, method: StaticMethodName): Promise<LoadedCosts> {
  if (method === 'static') return loadedCosts(run, meanErrorCosts(await probes(run)))
  const loaded = await fisherLoadedCosts(run)
  return { ...loaded, linears: capBits(await methodCosts(run, method), loaded.maxBits) }
}

async function methodCosts(run: CalibrationRun, method: Exclude<StaticMethodName, 'static'>): Promise<CostedLinear[]> {
  if (method === 'llm-mq') return costedLinears(await quantizationErrors(run, 'gradients'), llmMqCosts)
  const errors = await quantizationErrors(run, 'fisher')
  if (method === 'hawq-v2') return costedLinears(errors, hawqV2Costs)
  const importance = await blockImportance(run)
  return costedLinears(errors, (of) => lsaqCosts(of, importance[blockOf(of.module)]))
}

/** Importance of every decoder block (LSAQ), over the run's windows. */
async function blockImportance(run: CalibrationRun): Promise<number[]> {
  const { model, windows, work, signal, onProgress } = run
  return work.kept('block-importance', windowSettings(run), async () => {
    const [importance] = await measureBlockImportance(model, windows, { signal, onProgress })
    return [...importance]
  })
}
