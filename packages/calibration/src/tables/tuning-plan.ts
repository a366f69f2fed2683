import { InvalidArgumentError } from '@dpllm/core'
import { probeCpu } from '@dpllm/cpu-kernels'
import { type BackendName, loadTokenizer, readModelConfig } from '@dpllm/runtime'
import { calibrationWindows } from '../calibrate/windows.js'
import { type TuneOptions, type TuneSettings, tuneSettings } from './tune-settings.js'
import { LEAST_WINDOWS } from './windows-split.js'

/** What is known of a model that is going to be quantized, and what its caller wants. */
export interface TuningRequest {
  /** Folder of the original model. */
  readonly source: string
  /** Default: where it pays. false: not at all; options: in any case. */
  readonly tuning?: false | TuneOptions | undefined
  /** The caller's own text. */
  readonly text: string | undefined
  readonly seedBits: number
  readonly maxBits: number
  readonly backend?: BackendName | 'auto' | undefined
  /** Whether tables are to be as a published algorithm makes them. */
  readonly asPublished: boolean
}

/**
 * Decides, before hours of work, whether and how tables are tuned.
 * @returns settings, or why tables stay as clustering makes them
 * @throws InvalidArgumentError for options that are wrong or cannot be met
 */
export async function planTuning(request: TuningRequest): Promise<TuneSettings | string> {
  const { source, tuning, text, seedBits, maxBits, backend = 'auto', asPublished } = request
  if (tuning === false) return 'switched off'
  const settings = tuneSettings(text ?? '', tuning ?? {})
  if (tuning === undefined) {
    if (asPublished) return 'reference mode has none'
    if (backend === 'reference' || (backend === 'auto' && !probeCpu().ok)) return 'gradients take hours without native code'
    if (!settings.bits.some((b) => b >= seedBits)) return `the model has no tables of ${settings.bits.join(' or ')} bits`
    if (text === undefined) return 'the text that comes with the package is too short; give one of your own'
  }
  if (!settings.bits.some((b) => b >= seedBits && b <= maxBits))
    throw new InvalidArgumentError('tuning.bits', `some of the model's ${seedBits} to ${maxBits} bits`, settings.bits.join(', '))
  const { contextLength } = await readModelConfig(source)
  const length = Math.min(settings.sequenceLength, contextLength)
  const { length: windows } = calibrationWindows(settings.text, await loadTokenizer(source), length, LEAST_WINDOWS)
  if (windows >= LEAST_WINDOWS) return settings
  const wanted = `a text of at least ${LEAST_WINDOWS} windows of ${length} tokens`
  if (tuning !== undefined) throw new InvalidArgumentError('calibrationText', wanted, `${windows} windows`)
  return `the calibration text has ${windows} windows of ${length} tokens, and ${LEAST_WINDOWS} are needed`
}
