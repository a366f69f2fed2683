import { join } from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { loadModel } from '@dpllm/runtime'
import { calibrationWindows, checkWindows } from '../calibrate/windows.js'
import { DEFAULT_TEXT } from '../sensitivity/default-text.js'
import { type InputMoments, measureInputMoments } from '../sensitivity/input-moments.js'
import { readMoments, writeMoments } from '../sensitivity/moments-file.js'
import type { QuantizeModelOptions } from './quantize-model.js'

/** Where an unfinished run keeps the moments. */
export const MOMENTS_FILE = 'input-moments.safetensors'

/** What moments are measured on. */
export interface CalibrationSettings {
  readonly text: string
  readonly samples: number
  readonly sequenceLength: number
}

type ColumnWeightOptions = Pick<
  QuantizeModelOptions,
  'calibrationText' | 'samples' | 'sequenceLength' | 'threads' | 'signal' | 'onProgress'
>

/** The settings that options ask for, false for none. */
export function calibrationSettings(options: ColumnWeightOptions): CalibrationSettings | false {
  const { calibrationText: text = DEFAULT_TEXT, samples = 8, sequenceLength = 256 } = options
  if (text === false) return false
  checkWindows(samples, sequenceLength)
  return { text, samples, sequenceLength }
}

/**
 * The moments of the original model's inputs, kept in the partial folder: a continued run reads them there, so that it
 * makes the same bytes. The model is unloaded before this returns.
 */
export async function columnWeightsOf(
  source: string,
  folder: string,
  { text, samples, sequenceLength }: CalibrationSettings,
  fingerprint: string,
  { threads, signal, onProgress }: ColumnWeightOptions,
): Promise<InputMoments> {
  const file = join(folder, MOMENTS_FILE)
  const kept = await readMoments(file, fingerprint)
  if (kept !== undefined) return kept
  await using model = await loadModel(source, { arithmetic: 'precise', threads, signal, onProgress })
  const length = Math.min(sequenceLength, model.config.contextLength)
  const windows = calibrationWindows(text, model.tokenizer, length, samples, { keepRest: true })
  if (windows.length === 0) throw new InvalidArgumentError('calibrationText', 'a text with at least one token', 'an empty one')
  const total = windows.reduce((sum, window) => sum + window.length, 0)
  const moments = await measureInputMoments(model, windows, {
    signal,
    onTokens: (done) => onProgress?.({ stage: 'measure inputs', done, total, unit: 'tokens' }),
  })
  await writeMoments(file, moments, fingerprint)
  return moments
}
