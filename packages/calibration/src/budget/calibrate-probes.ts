import { createHash } from 'node:crypto'
import type { BudgetLinear } from '@dpllm/estimators'
import type { Model } from '@dpllm/runtime'
import { fitProbe, type ProbeFit } from './fit-probe.js'
import { type MeasureOutputErrorsOptions, measureOutputErrors } from './measure-output-errors.js'
import { readProbe, writeProbe } from './probe-files.js'

/** The seed is that of the fits, too. */
export type CalibrateProbesOptions = MeasureOutputErrorsOptions

/** What the budget policy needs to know of a linear, and how well its probe tells tokens apart. */
export interface CalibratedLinear extends BudgetLinear {
  /** As of `ProbeFit`. */
  readonly heldOutShare: number
}

/** Raised when the same measurements and settings give other probes than before. */
const VERSION = 1

/**
 * Measures everything that the `budget` policy decides by: output errors of every linear by bit count, and a probe that predicts
 * from an earlier point of the residual stream how much a token's error counts. What is finished is kept in `folder`: an
 * interrupted run gives the same bytes when it is started again.
 * @param windows tokens of the calibration text, at least two each
 * @returns in the order of `model.linears`
 * @throws as `measureOutputErrors`
 */
export async function calibrateProbes(
  model: Model,
  windows: readonly Uint32Array[],
  options: CalibrateProbesOptions,
): Promise<CalibratedLinear[]> {
  const { folder, labels, seed = 0, signal, onProgress } = options
  const measured = await measureOutputErrors(model, windows, options)
  const fingerprint = createHash('sha256')
    .update(JSON.stringify({ version: VERSION, given: options.fingerprint, labels, seed }))
    .digest('hex')
  const fits = new Map<string, ProbeFit>()
  // Linears that read the same features one after another: those are large.
  for (const feature of new Set(measured.linears.map((linear) => linear.feature))) {
    const readers = measured.linears.filter((linear) => linear.feature === feature)
    let features: Awaited<ReturnType<typeof measured.readFeatures>> | undefined
    for (const { module } of readers) {
      signal?.throwIfAborted()
      let fit = await readProbe(folder, module, fingerprint)
      if (fit === undefined) {
        features ??= await measured.readFeatures(feature)
        fit = await fitProbe(features, await measured.readTargets(module), { seed, signal })
        await writeProbe(folder, module, fingerprint, fit)
      }
      fits.set(module, fit)
      onProgress?.({ stage: 'fit probes', done: fits.size, total: measured.linears.length, unit: 'linears' })
    }
  }
  return measured.linears.map(({ module, weights, minBits, errors }) => {
    const { probe, heldOutShare } = fits.get(module)!
    return { name: module, weights, minBits, errors, probe, heldOutShare }
  })
}
