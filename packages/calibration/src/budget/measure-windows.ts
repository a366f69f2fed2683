import { DpllmError, type Program, type Tensor } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import { drawLabels } from './draw-labels.js'
import { type BlockErrors, errorFilePath, writeErrorFile } from './error-files.js'
import { errorProgram, errorsName } from './error-program.js'
import type { MeasuredLinear } from './measured-linears.js'
import { bitCounts } from './output-errors.js'

export interface MeasureWindowsOptions {
  readonly folder: string
  readonly fingerprint: string
  /** As of `MeasureOutputErrorsOptions`. */
  readonly labels: 'drawn' | 'text'
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  /** Called with each window that is done. */
  readonly onWindow: (window: number) => void
}

/** Largest number of f16, which features are kept as. */
const MOST_FEATURE = 65504

/** Values of one step, by name. */
type Values = Readonly<Record<string, Float32Array>>

/**
 * Measures all linears on some of the windows, one step for each, and writes a file for each block and window.
 * @param program of the model at its most bits
 * @param wanted indices of the windows
 */
export async function measureWindows(
  model: Model,
  program: Program,
  linears: readonly MeasuredLinear[],
  windows: readonly Uint32Array[],
  wanted: readonly number[],
  options: MeasureWindowsOptions,
): Promise<void> {
  if (wanted.length === 0) return
  const { folder, fingerprint, signal, onWindow } = options
  const measuring = errorProgram(program, linears)
  const features = [...new Set(linears.map(({ feature }) => feature))]
  const errors = measuring.operators.flatMap((op) => (op.kind === 'tokenErrors' ? [op.out] : []))
  await using compiled = await model.backend.compile(measuring, model.weights)
  for (const window of wanted) {
    signal?.throwIfAborted()
    // The last token of a window is only predicted.
    const tokens = windows[window].subarray(0, -1)
    using cache = compiled.createCache(tokens.length)
    const rows = tokens.map((_, row) => row)
    const targets = options.labels === 'text' ? windows[window].subarray(1) : await draw(model, tokens, window, options)
    const step = { tokens, position: 0, cache, rows, targets, outputs: [...features, ...errors], signal }
    const { outputs } = await compiled.run(step)
    for (const linear of linears) checkErrors(outputs, linear, model.directory)
    for (const feature of features) checkSizes(outputs[feature], feature, MOST_FEATURE, model.directory)
    for (const block of new Set(linears.map((linear) => linear.block))) {
      const path = errorFilePath(folder, block, window)
      const inBlock = linears.filter((linear) => linear.block === block)
      await writeErrorFile(path, blockErrors(inBlock, outputs, tokens.length), { fingerprint, signal })
    }
    onWindow(window)
  }
}

/** Tokens that the model itself would go on with, one after each of `tokens`. */
async function draw(
  model: Model,
  tokens: Uint32Array,
  window: number,
  { seed, signal }: MeasureWindowsOptions,
): Promise<Uint32Array> {
  using cache = model.createCache(tokens.length)
  const rows = tokens.map((_, row) => row)
  const { outputs } = await model.run({ tokens, position: 0, cache, rows, outputs: ['logits'], signal })
  return drawLabels(outputs.logits, tokens.length, seed, window)
}

function checkErrors(values: Values, { module, minBits }: MeasuredLinear, directory: string): void {
  const fewest = values[errorsName(module, minBits)]
  if (fewest !== undefined) checkSizes(fewest, `errors of ${module}`, Number.MAX_VALUE, directory)
}

function checkSizes(values: Float32Array, what: string, most: number, directory: string): void {
  if (values.every((value) => Math.abs(value) <= most)) return
  const message = `${directory}: ${what} overflow on the calibration text; weights may be damaged`
  throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
}

function blockErrors(linears: readonly MeasuredLinear[], values: Values, tokens: number): BlockErrors {
  const features = [...new Set(linears.map(({ feature }) => feature))]
  return {
    errors: new Map(linears.map((linear) => [linear.module, errorsOf(linear, values, tokens)])),
    features: new Map(
      features.map((name) => {
        const data = values[name]
        return [name, { dtype: 'f32', shape: [tokens, data.length / tokens], data }]
      }),
    ),
  }
}

/** f32 [bit counts, tokens]; zeros at the most bits. */
function errorsOf(linear: MeasuredLinear, values: Values, tokens: number): Tensor<'f32'> {
  const count = bitCounts(linear)
  const data = new Float32Array(count * tokens)
  for (let i = 0; i < count; i++) {
    const errors = values[errorsName(linear.module, linear.minBits + i)]
    if (errors !== undefined) data.set(errors, i * tokens)
  }
  return { dtype: 'f32', shape: [count, tokens], data }
}
