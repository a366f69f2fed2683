import { type BitPlaneWeight, dequantizeRow } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import { measureAllErrors } from '../../allocation/measure-all-errors.js'
import type { ModuleRowReader, QuantizationErrors } from '../../allocation/quantization-errors.js'
import { measureFisher, measureGradientSums } from '../../sensitivity/measure-gradients.js'
import { type CalibrationRun, windowSettings } from '../calibration-run.js'
import { removePlace } from '../work-folder.js'

/** `fisher`: what Phase 1 and HAWQ-V2 need. `gradients`: what LLM-MQ needs. */
export type ErrorsKind = 'fisher' | 'gradients'

/**
 * What reading each linear at fewer bits changes (`QuantizationErrors`), weighed by Fisher information or by mean gradients
 * of the run's windows. The gradients are measured at the model's most bits, which also stand for the original weights; the
 * files that hold them, as large as the model in f32, are removed when the sums are made.
 * @returns in the order of the model's linears
 */
export async function quantizationErrors(run: CalibrationRun, kind: ErrorsKind): Promise<QuantizationErrors[]> {
  const { model, windows, work, signal, onProgress } = run
  const settings = windowSettings(run)
  const kept = await work.kept<KeptErrors[]>(`errors-${kind}`, settings, async () => {
    const place = await work.folder(kind, settings)
    const modules = model.linears.map(({ module }) => module)
    const measure = kind === 'fisher' ? measureFisher : measureGradientSums
    const options = { folder: place.path, fingerprint: place.fingerprint, modules, signal, onProgress }
    const errors = await (async () => {
      await using sums = await measure(model, windows, options)
      const original = loadedRows(model)
      const readers = kind === 'fisher' ? { original, sensitivities: sums.readRows } : { original, gradients: sums.readRows }
      return await measureAllErrors(sourcesOf(model), readers, { signal, onProgress })
    })()
    await removePlace(place)
    return errors.map(toKept)
  })
  return kept.map(fromKept)
}

function sourcesOf(model: Model) {
  return model.linears.map(({ module, rows, cols }) => ({ module, weights: rows * cols, read: () => weightOf(model, module) }))
}

/** Rows of the weights at the most bits that are loaded. */
function loadedRows(model: Model): ModuleRowReader {
  return async (module, first, count) => {
    const weight = weightOf(model, module)
    const out = new Float32Array(count * weight.cols)
    for (let i = 0; i < count; i++) dequantizeRow(weight, weight.maxBits, first + i, out.subarray(i * weight.cols))
    return out
  }
}

function weightOf(model: Model, module: string): BitPlaneWeight {
  return model.weights.get(`${module}.weight`) as BitPlaneWeight
}

/** As JSON holds it. */
type KeptErrors = { [Key in keyof QuantizationErrors]: Exclude<QuantizationErrors[Key], Float64Array> | number[] }

function toKept(errors: QuantizationErrors): KeptErrors {
  return Object.fromEntries(
    Object.entries(errors).map(([key, value]) => [key, value instanceof Float64Array ? [...value] : value]),
  ) as unknown as KeptErrors
}

function fromKept(kept: KeptErrors): QuantizationErrors {
  return Object.fromEntries(
    Object.entries(kept).map(([key, value]) => [key, Array.isArray(value) ? Float64Array.from(value) : value]),
  ) as unknown as QuantizationErrors
}
