import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { writeError } from '@dpllm/core/node'
import { loadModel, type Model } from '@dpllm/runtime'
import { calibrationWindows } from '../calibrate/windows.js'
import { type GradientSums, openGradientSums } from '../sensitivity/gradient-sums.js'
import { type InputMoments, measureInputMoments } from '../sensitivity/input-moments.js'
import { measureFisher } from '../sensitivity/measure-gradients.js'
import { readMoments, writeMoments } from '../sensitivity/moments-file.js'
import {
  fisherSensitivities,
  inputSensitivities,
  type Sensitivities,
  smoothedSensitivities,
} from '../sensitivity/sensitivities.js'
import type { QuantizeModelOptions } from './quantize-model.js'
import type { SensitivitySettings, WindowSettings } from './sensitivity-settings.js'

/** Where an unfinished run keeps the moments of inputs. */
export const MOMENTS_FILE = 'input-moments.safetensors'

/** What sensitivities are measured for, and where they are kept. */
export interface SensitivityRun
  extends Pick<QuantizeModelOptions, 'backend' | 'threads' | 'accumulatorBytes' | 'checkpointSeconds' | 'signal' | 'onProgress'> {
  /** Folder of the original model. */
  readonly source: string
  readonly settings: SensitivitySettings
  /** Folder for what is measured: a continued run finds it there, so that it makes the same bytes. */
  readonly folder: string
  /** Of the model and the settings. */
  readonly fingerprint: string
  /** Modules that are to be quantized. */
  readonly modules: readonly string[]
}

/** Windows that moments are measured on where they only smooth Fisher information: they need few. */
const SMOOTHING_WINDOWS = 32

/**
 * Measures what the settings ask for and no earlier run has, on the original model, which is unloaded before this returns.
 * @returns undefined where all weights count the same
 */
export async function measureSensitivities(run: SensitivityRun): Promise<Sensitivities | undefined> {
  const { settings } = run
  if (settings.kind === 'none') return undefined
  await using original = loadedOnce(run)
  if (settings.kind === 'inputs') return inputSensitivities(await inputMoments(run, original, settings.windows))
  const { windows, smoothing } = settings
  const samples = Math.min(windows.samples, SMOOTHING_WINDOWS)
  const moments = smoothing === 0 ? undefined : await inputMoments(run, original, { ...windows, samples })
  const sums = await fisher(run, original, windows)
  return moments === undefined ? fisherSensitivities(sums) : smoothedSensitivities(sums, moments, smoothing)
}

/**
 * Makes a folder for sensitivities, or checks what is in it.
 * @throws FileFormatError for files of another model, text or windows; DpllmError ERR_DPLLM_WRITE
 */
export async function openSensitivityFolder(folder: string, fingerprint: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })
  await using _ = await openGradientSums(folder, 'squares', fingerprint)
}

async function inputMoments(run: SensitivityRun, original: Original, settings: WindowSettings): Promise<InputMoments> {
  const { folder, fingerprint, signal, onProgress } = run
  const file = join(folder, MOMENTS_FILE)
  const kept = await readMoments(file, fingerprint)
  if (kept !== undefined) return kept
  const model = await original.load()
  const windows = windowsOf(model, settings, run.settings.kind === 'fisher' ? 2 : 1)
  const total = windows.reduce((sum, window) => sum + window.length, 0)
  const moments = await measureInputMoments(model, windows, {
    signal,
    onTokens: (done) => onProgress?.({ stage: 'measure inputs', done, total, unit: 'tokens' }),
  })
  await writeMoments(file, moments, fingerprint)
  return moments
}

async function fisher(run: SensitivityRun, original: Original, settings: WindowSettings): Promise<GradientSums> {
  const { folder, fingerprint, modules } = run
  const kept = await openGradientSums(folder, 'squares', fingerprint)
  if (modules.every((module) => kept.shapes.has(module))) return kept
  await kept[Symbol.asyncDispose]()
  const model = await original.load()
  return await measureFisher(model, windowsOf(model, settings, 2), run)
}

/** The original model, loaded when something has to be measured. */
interface Original extends AsyncDisposable {
  load(): Promise<Model>
}

function loadedOnce({ source, backend, threads, signal, onProgress }: SensitivityRun): Original {
  let model: Promise<Model> | undefined
  return {
    load() {
      model ??= loadModel(source, { backend, arithmetic: 'precise', threads, signal, onProgress })
      return model
    },
    async [Symbol.asyncDispose]() {
      // A model that could not be loaded has been thrown already.
      const loaded = await model?.catch(() => undefined)
      await loaded?.[Symbol.asyncDispose]()
    },
  }
}

/** Windows of the text, the last one as long as the text is, but of at least `shortest` tokens. */
function windowsOf(model: Model, { text, samples, sequenceLength }: WindowSettings, shortest: number): Uint32Array[] {
  const length = Math.min(sequenceLength, model.config.contextLength)
  const windows = calibrationWindows(text, model.tokenizer, length, samples, { keepRest: true })
  const long = windows.filter((window) => window.length >= shortest)
  if (long.length > 0) return long
  throw new InvalidArgumentError(
    'calibrationText',
    `a text with at least ${shortest === 1 ? 'one token' : 'two tokens'}`,
    'a shorter one',
  )
}
