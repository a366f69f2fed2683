import { InvalidArgumentError } from '@dpllm/core'
import { probeCpu } from '@dpllm/cpu-kernels'
import { checkWindows } from '../calibrate/windows.js'
import { DEFAULT_TEXT } from '../sensitivity/default-text.js'
import type { QuantizeModelOptions } from './quantize-model.js'

/** How much the squared error of each weight counts, and what that is measured on. */
export type SensitivitySettings =
  | { readonly kind: 'none' }
  | { readonly kind: 'inputs'; readonly windows: WindowSettings }
  | { readonly kind: 'fisher'; readonly windows: WindowSettings; readonly smoothing: number }

export interface WindowSettings {
  readonly text: string
  readonly samples: number
  readonly sequenceLength: number
}

const kinds = ['fisher', 'inputs', 'none'] as const

/**
 * The settings that options ask for. Fisher information is the default where gradients run on native code: on the
 * reference backend those of a real model take hours.
 * @throws InvalidArgumentError
 */
export function sensitivitySettings(options: QuantizeModelOptions): SensitivitySettings {
  const { calibrationText: text = DEFAULT_TEXT, sequenceLength = 256, backend = 'auto' } = options
  const native = backend === 'auto' ? probeCpu().ok : backend !== 'reference'
  const kind = options.sensitivity ?? (text === false ? 'none' : native ? 'fisher' : 'inputs')
  if (!kinds.includes(kind)) throw new InvalidArgumentError('sensitivity', kinds.join(', '), kind)
  if (kind === 'none') return { kind }
  if (text === false) throw new InvalidArgumentError('calibrationText', `a text, for the sensitivity ${kind}`, text)
  const samples = options.samples ?? defaultSamples[kind]
  checkWindows(samples, sequenceLength)
  const windows = { text, samples, sequenceLength }
  if (kind === 'inputs') return { kind, windows }
  if (sequenceLength < 2)
    throw new InvalidArgumentError('sequenceLength', 'at least 2, for the sensitivity fisher', sequenceLength)
  const smoothing = options.fisherSmoothing ?? (options.quantizer?.name === 'reference-mode' ? 0 : FISHER_SMOOTHING)
  if (!(smoothing >= 0 && smoothing <= 1)) throw new InvalidArgumentError('fisherSmoothing', 'a number from 0 to 1', smoothing)
  return { kind, windows, smoothing }
}

/** By what was measured on stories15M and TinyLlama (docs/decisions/0007); Any-Precision's own algorithm has none. */
const FISHER_SMOOTHING = 0.75

const defaultSamples = { inputs: 8, fisher: 128 }
