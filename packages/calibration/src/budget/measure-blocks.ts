import { type CompiledProgram, DpllmError, gradientName, type Program, staticPolicy, type Tensor } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import { linearsProgram, outputGradients } from './block-programs.js'
import { drawLabels } from './draw-labels.js'
import { type BlockErrors, errorFilePath, writeErrorFile } from './error-files.js'
import type { MeasuredLinear } from './measured-linears.js'
import { bitCounts } from './output-errors.js'

export interface MeasureBlocksOptions {
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
 * Measures all linears of some blocks on some of the windows, and writes a file for each block and window.
 * @param program of the model at its most bits
 * @param linears of these blocks, in order
 * @param wanted indices of the windows
 */
export async function measureBlocks(
  model: Model,
  program: Program,
  linears: readonly MeasuredLinear[],
  windows: readonly Uint32Array[],
  wanted: readonly number[],
  options: MeasureBlocksOptions,
): Promise<void> {
  if (wanted.length === 0) return
  const { folder, fingerprint, signal, onWindow } = options
  const read = [...new Set(linears.flatMap(({ operator, feature }) => [operator.x, feature]))]
  const outputs = [...read, ...linears.map(({ operator }) => gradientName(operator.out))]
  await using reverse = await model.backend.compile(outputGradients(program, linears, read), model.weights)
  await using products = await model.backend.compile(linearsProgram(program, linears), model.weights)
  for (const window of wanted) {
    signal?.throwIfAborted()
    // The last token of a window is only predicted.
    const tokens = windows[window].subarray(0, -1)
    using cache = reverse.createCache(tokens.length)
    const rows = tokens.map((_, row) => row)
    const targets = options.labels === 'text' ? windows[window].subarray(1) : await draw(model, tokens, window, options)
    const step = await reverse.run({ tokens, position: 0, cache, rows, targets, outputs, signal })
    const errors = await tokenErrors(products, tokens, step.outputs, linears, signal)
    for (const [module, { data }] of errors) checkSizes(data, `errors of ${module}`, Number.MAX_VALUE, model.directory)
    for (const { feature } of linears) checkSizes(step.outputs[feature], feature, MOST_FEATURE, model.directory)
    for (const block of new Set(linears.map((linear) => linear.block))) {
      const path = errorFilePath(folder, block, window)
      const inBlock = linears.filter((linear) => linear.block === block)
      await writeErrorFile(path, blockErrors(inBlock, errors, step.outputs, tokens.length), { fingerprint, signal })
    }
    onWindow(window)
  }
}

/** Tokens that the model itself would go on with, one after each of `tokens`. */
async function draw(
  model: Model,
  tokens: Uint32Array,
  window: number,
  { seed, signal }: MeasureBlocksOptions,
): Promise<Uint32Array> {
  using cache = model.createCache(tokens.length)
  const rows = tokens.map((_, row) => row)
  const { outputs } = await model.run({ tokens, position: 0, cache, rows, outputs: ['logits'], signal })
  return drawLabels(outputs.logits, tokens.length, seed, window)
}

function checkSizes(values: Float32Array, what: string, most: number, directory: string): void {
  if (values.every((value) => Math.abs(value) <= most)) return
  const message = `${directory}: ${what} overflow on the calibration text; weights may be damaged`
  throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
}

function blockErrors(
  linears: readonly MeasuredLinear[],
  errors: ReadonlyMap<string, Tensor<'f32'>>,
  values: Values,
  tokens: number,
): BlockErrors {
  const features = [...new Set(linears.map(({ feature }) => feature))]
  return {
    errors: new Map(linears.map(({ module }) => [module, errors.get(module)!])),
    features: new Map(
      features.map((name) => {
        const data = values[name]
        return [name, { dtype: 'f32', shape: [tokens, data.length / tokens], data }]
      }),
    ),
  }
}

/** Errors f32 [bit counts, tokens] of every linear, by module. */
async function tokenErrors(
  products: CompiledProgram,
  tokens: Uint32Array,
  values: Values,
  linears: readonly MeasuredLinear[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Tensor<'f32'>>> {
  const T = tokens.length
  using cache = products.createCache(T)
  const inputs = Object.fromEntries(linears.map(({ operator: { x } }) => [x, values[x]]))
  const at = async (bitsOf: (linear: MeasuredLinear) => number, wanted: readonly MeasuredLinear[]) => {
    const policy = staticPolicy(linears.map(bitsOf))
    const outputs = wanted.map(({ operator }) => operator.out)
    return (await products.run({ tokens, position: 0, cache, inputs, policy, outputs, signal })).outputs
  }
  const original = await at(({ mostBits }) => mostBits, linears)
  const errors = new Map(linears.map((linear) => [linear.module, zeros(bitCounts(linear), T)]))
  for (let step = 0; ; step++) {
    // At the most bits there is no error.
    const wanted = linears.filter(({ minBits, maxBits, mostBits }) => minBits + step <= Math.min(maxBits, mostBits - 1))
    if (wanted.length === 0) return errors
    const quantized = await at(({ minBits, mostBits }) => Math.min(minBits + step, mostBits), wanted)
    for (const { module, operator } of wanted) {
      const gradient = values[gradientName(operator.out)]
      const row = errors.get(module)!.data.subarray(step * T, (step + 1) * T)
      weightedErrors(quantized[operator.out], original[operator.out], gradient, row)
    }
  }
}

function zeros(rows: number, cols: number): Tensor<'f32'> {
  return { dtype: 'f32', shape: [rows, cols], data: new Float32Array(rows * cols) }
}

/** out[t] = Σ_j g[t, j]² (a[t, j] − b[t, j])²; a, b and g f32 [T, N]. */
function weightedErrors(a: Float32Array, b: Float32Array, g: Float32Array, out: Float32Array): void {
  const N = a.length / out.length
  for (let t = 0; t < out.length; t++) {
    let sum = 0
    for (let i = t * N; i < (t + 1) * N; i++) {
      const product = g[i] * (a[i] - b[i])
      sum += product * product
    }
    out[t] = sum
  }
}
