import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { loadModel, type Model, type Profile, writeProfile } from '@dpllm/runtime'
import { sourceFingerprint } from '../quantizer/fingerprint.js'
import { packageVersion } from '../version.js'
import { type CalibrateOptions, type CalibrateSettings, settingsOf } from './calibrate-options.js'
import type { CalibrationRun } from './calibration-run.js'
import { budgetPolicyOf } from './methods/budget-policy.js'
import type { MadePolicy } from './methods/made-policy.js'
import { staticPolicyOf } from './methods/static-policy.js'
import { thresholdPolicyOf } from './methods/threshold-policy.js'
import { calibrationWindows, spreadWindows } from './windows.js'
import { openWorkFolder } from './work-folder.js'

/** Most windows that are only for meeting the targets. */
const LANDING_WINDOWS = 16

/** Windows that are cut of a text for each one that is wanted: tokens of longer texts are not all counted. */
const LOOKED_AT = 32

/**
 * Measures an adaptation profile for a quantized model and a memory budget, and writes it to `profiles/NAME.json`: one profile
 * serves every target between the fewest bits and the budget. The same options give the same bytes; an interrupted run goes
 * on where it was when it is called again.
 * @throws InvalidArgumentError, what `loadModel` throws, InfeasibleAllocationError, DpllmError ERR_DPLLM_WRITE, the
 * signal's reason
 */
export async function calibrateModel(options: CalibrateOptions): Promise<{ profile: Profile; path: string }> {
  const settings = settingsOf(options)
  const { name, targets, memoryBudget, seed } = settings
  const { backend, threads, signal, onProgress } = options
  const load = { profile: false, backend, threads, signal, onProgress } as const
  await using model = await loadModel(options.model, load)
  if (model.linears.length === 0)
    throw new InvalidArgumentError('model', 'a quantized model (run dpllm quantize first)', options.model)
  const { windows, landing } = windowsOf(model, options.calibrationText, settings)
  const textSha256 = createHash('sha256').update(options.calibrationText).digest('hex')

  const partial = path.join(options.model, 'profiles', `${name}.partial`)
  const work = openWorkFolder(options.workFolder ?? partial, { model: await fingerprintOf(options.model), textSha256 })
  const run: CalibrationRun = { model, windows, landing, memoryBudget, targets, seed, work, signal, onProgress }
  const { maxBits, policy, tensors, provenance } = await makePolicy(run, settings)
  const profile: Profile = {
    name,
    tensors,
    data: {
      format: 2,
      method: settings.method,
      memoryBudget,
      maxBits: Object.fromEntries(model.linears.map(({ module }, i) => [module, maxBits[i]])),
      policy,
      provenance: {
        textSha256,
        windows: windows.length,
        landingWindows: landing.length,
        windowTokens: windows[0].length,
        seed,
        version: packageVersion(),
        ...provenance,
      },
    },
  }
  signal?.throwIfAborted()
  await writeProfile(options.model, profile)
  if (options.workFolder === undefined) await rm(partial, { recursive: true, force: true })
  return { profile, path: path.join(options.model, 'profiles', `${name}.json`) }
}

function makePolicy(run: CalibrationRun, { method, ...settings }: CalibrateSettings): Promise<MadePolicy> {
  if (method === 'budget') return budgetPolicyOf(run)
  if (method === 'dp-llm') return thresholdPolicyOf(run, settings)
  return staticPolicyOf(run, method)
}

/**
 * Full windows from all over the text (a model may know the beginning of a well-known one by heart); some are set aside, from
 * all over these.
 */
function windowsOf(model: Model, text: string, { samples, sequenceLength }: CalibrateSettings) {
  const length = Math.min(sequenceLength, model.config.contextLength)
  const all = spreadWindows(calibrationWindows(text, model.tokenizer, length, LOOKED_AT * samples), samples)
  if (all.length < 2) {
    const wanted = `at least two windows of ${length} tokens (a longer text, or a smaller sequenceLength)`
    throw new InvalidArgumentError('calibrationText', wanted, 'a shorter text')
  }
  const landing = spreadWindows(all, Math.min(LANDING_WINDOWS, Math.ceil(all.length / 4)))
  return { windows: all.filter((window) => !landing.includes(window)), landing }
}

async function fingerprintOf(directory: string): Promise<string> {
  await using checkpoint = await openCheckpoint(directory)
  return await sourceFingerprint(checkpoint, await readFile(path.join(directory, 'config.json'), 'utf8'))
}
