import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { loadModel } from '@dpllm/runtime'
import { calibrationWindows } from '../calibrate/windows.js'
import { DEFAULT_TEXT } from '../sensitivity/default-text.js'
import { type InputMoments, measureInputMoments } from '../sensitivity/input-moments.js'
import { readMoments, writeMoments } from '../sensitivity/moments-file.js'

/** Where an unfinished run keeps the moments. */
export const MOMENTS_FILE = 'input-moments.safetensors'

/** What moments are measured on. */
export interface CalibrationSettings {
  readonly textSha256: string
  readonly samples: number
  readonly sequenceLength: number
}

export interface ColumnWeightOptions {
  readonly calibrationText?: string | false
  readonly samples?: number
  readonly sequenceLength?: number
  readonly threads?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { stage: string; done: number; total: number; unit?: string }) => void
}

/** The settings that options ask for, false for none; the text is named by its hash. */
export function calibrationSettings(options: ColumnWeightOptions): CalibrationSettings | false {
  const { calibrationText = DEFAULT_TEXT, samples = 8, sequenceLength = 256 } = options
  if (calibrationText === false) return false
  for (const [argument, value] of Object.entries({ samples, sequenceLength })) {
    if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(argument, 'a positive integer', value)
  }
  return { textSha256: createHash('sha256').update(calibrationText).digest('hex'), samples, sequenceLength }
}

/**
 * The moments of the original model's inputs, kept in the partial folder: a continued run reads them there, so that it
 * makes the same bytes. The model is unloaded before this returns.
 */
export async function columnWeightsOf(
  source: string,
  folder: string,
  settings: CalibrationSettings,
  fingerprint: string,
  options: ColumnWeightOptions,
): Promise<InputMoments> {
  const { signal, threads, onProgress } = options
  const file = join(folder, MOMENTS_FILE)
  const kept = await readMoments(file, fingerprint)
  if (kept !== undefined) return kept
  const text = options.calibrationText || DEFAULT_TEXT
  await using model = await loadModel(source, {
    profile: false,
    arithmetic: 'precise',
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  })
  const length = Math.min(settings.sequenceLength, model.config.contextLength)
  const windows = calibrationWindows(text, model.tokenizer, length, settings.samples, { keepRest: true })
  if (windows.length === 0) throw new InvalidArgumentError('calibrationText', 'a text with at least one token', 'an empty one')
  const total = windows.reduce((sum, window) => sum + window.length, 0)
  const moments = await measureInputMoments(model, windows, {
    signal,
    onTokens: (done) => onProgress?.({ stage: 'measure inputs', done, total, unit: 'tokens' }),
  })
  await writeMoments(file, moments, fingerprint)
  return moments
}
