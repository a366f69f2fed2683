import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { InvalidArgumentError, type OnProgress, rowWidth } from '@dpllm/core'
import { exists, writeError } from '@dpllm/core/node'
import type { Model } from '@dpllm/runtime'
import { errorFilePath, openErrorFile } from './error-files.js'
import { measureWindows } from './measure-windows.js'
import { type MeasuredLinear, measuredProgram } from './measured-linears.js'
import { type OutputErrors, openOutputErrors } from './output-errors.js'

export interface MeasureOutputErrorsOptions {
  /**
   * Folder for what is measured, a file for each block and window; an interrupted run goes on with what is in it. Probes'
   * inputs take most of it: 4 bytes times the model's width for each block and token.
   */
  readonly folder: string
  /** What the caller knows model, windows and settings by: files of another are refused. */
  readonly fingerprint: string
  /** Most bits that are wanted of each linear, in the order of `model.linears`; default all that are loaded. */
  readonly maxBits?: readonly number[] | undefined
  /**
   * The next tokens whose loss is taken: `drawn` from the model's own distribution (default), with which the squares of
   * gradients are, on average, the Hessian of the divergence from the model (the Fisher information), or those of the `text` (the
   * empirical Fisher information), which says more of how surprising a token is.
   */
  readonly labels?: 'drawn' | 'text' | undefined
  /** Of the labels that are drawn; default 0. */
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Raised when the same model and text give other numbers than before, so that none are mixed. */
const VERSION = 2

/**
 * Measures what fewer bits of one linear do to the loss, token by token, as far as a second-order expansion with the Fisher
 * information for its Hessian tells: y_b = Σ_j (∂L/∂y_j)² ((W_b − W_most) x)_j², where L is the summed cross entropy of a
 * window at the most bits loaded, which stand for the original, and y what the linear writes. (The diagonal of the Hessian of
 * OBD, LeCun et al. 1990, taken at outputs instead of weights.)
 * @param windows tokens of the text, at least two each
 * @throws InvalidArgumentError for windows, bits or a model that cannot be; FileFormatError if the folder holds another run's
 * files or damaged ones; DpllmError ERR_DPLLM_NOT_FINITE if values overflow; the signal's reason
 */
export async function measureOutputErrors(
  model: Model,
  windows: readonly Uint32Array[],
  options: MeasureOutputErrorsOptions,
): Promise<OutputErrors> {
  const { folder, maxBits, labels = 'drawn', seed = 0, signal, onProgress } = options
  checkWindowLengths(windows)
  const { program, linears } = measuredProgram(model, maxBits)
  const fingerprint = errorsFingerprint(options.fingerprint, linears, labels === 'drawn' ? seed : labels)
  const tokens = windows.map((window) => window.length - 1)
  const total = tokens.reduce((sum, count) => sum + count, 0)
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error)
  })

  const blocks = [...new Set(linears.map(({ block }) => block))]
  const missing: number[] = []
  for (const window of windows.keys()) if (!(await hasAll(folder, blocks, window, fingerprint))) missing.push(window)
  let done = total - missing.reduce((sum, window) => sum + tokens[window], 0)
  await measureWindows(model, program, linears, windows, missing, {
    folder,
    fingerprint,
    labels,
    seed,
    signal,
    onWindow: (window) => {
      done += tokens[window]
      onProgress?.({ stage: 'measure output errors', done, total, unit: 'tokens' })
    },
  })
  const widthOf = (feature: string) => rowWidth(program.values[feature].shape)
  return openOutputErrors({ folder, fingerprint, linears, tokens, widthOf })
}

function checkWindowLengths(windows: readonly Uint32Array[]): void {
  const shortest = Math.min(...windows.map((window) => window.length))
  if (shortest >= 2 && Number.isFinite(shortest)) return
  const found = `${windows.length} windows, the shortest of ${shortest}`
  throw new InvalidArgumentError('windows', 'windows of at least two tokens', found)
}

function errorsFingerprint(given: string, linears: readonly MeasuredLinear[], labels: number | string): string {
  const bits = linears.map(({ module, minBits, maxBits, mostBits }) => [module, minBits, maxBits, mostBits])
  return createHash('sha256')
    .update(JSON.stringify({ version: VERSION, given, bits, labels }))
    .digest('hex')
}

/** Whether a window is measured for all of these blocks. */
async function hasAll(folder: string, blocks: readonly number[], window: number, fingerprint: string): Promise<boolean> {
  for (const block of blocks) {
    const path = errorFilePath(folder, block, window)
    if (!(await exists(path))) return false
    await using _ = await openErrorFile(path, fingerprint)
  }
  return true
}
