import { type Tensor, toFloat32 } from '@dpllm/core'
import { errorFilePath, openErrorFile, readErrors, readFeatures } from './error-files.js'
import type { MeasuredLinear } from './measured-linears.js'

/** Mean output errors of a linear by bit count. */
export interface LinearErrors {
  readonly module: string
  /** Number of its weights, N · K. */
  readonly weights: number
  readonly minBits: number
  /** Mean over tokens of the squared error at minBits + j bits, weighted by the squared gradients; 0 at the most bits. */
  readonly errors: Float64Array
  /** The value of the program that a probe of it reads. */
  readonly feature: string
}

/** Output errors of all linears on the tokens of a text, in files. */
export interface OutputErrors {
  readonly tokens: number
  /** In the order of the model's linears. */
  readonly linears: readonly LinearErrors[]
  /** f32 [tokens]: the error of every token at the fewest bits, what a probe is to predict. */
  readTargets(module: string): Promise<Float32Array>
  /** f32 [tokens, D] of a value that probes read, rounded to f16. */
  readFeatures(feature: string): Promise<Tensor<'f32'>>
}

/** Where the files are, and what they are of. */
export interface ErrorFiles {
  readonly folder: string
  readonly fingerprint: string
  readonly linears: readonly MeasuredLinear[]
  /** Predicted tokens of each window. */
  readonly tokens: readonly number[]
  /** Width of a value that probes read. */
  widthOf(feature: string): number
}

/**
 * Opens what was measured; reads every linear's mean errors.
 * @throws FileFormatError for files that are damaged, missing or of another run
 */
export async function openOutputErrors(files: ErrorFiles): Promise<OutputErrors> {
  const { linears, tokens } = files
  const total = tokens.reduce((sum, count) => sum + count, 0)
  const sums = new Map(linears.map((linear) => [linear, new Float64Array(bitCounts(linear))]))
  for (const block of new Set(linears.map((linear) => linear.block))) {
    const inBlock = linears.filter((linear) => linear.block === block)
    for (const [window, count] of tokens.entries()) {
      await using file = await openErrorFile(errorFilePath(files.folder, block, window), files.fingerprint)
      for (const linear of inBlock) addRows(sums.get(linear)!, await readErrors(file, linear.module, bitCounts(linear), count))
    }
  }
  return {
    tokens: total,
    linears: linears.map((linear) => {
      const { module, rows, cols, minBits, feature } = linear
      return { module, weights: rows * cols, minBits, errors: sums.get(linear)!.map((sum) => sum / total), feature }
    }),
    readTargets: async (module) => {
      const linear = linears.find((other) => other.module === module)!
      const targets = new Float32Array(total)
      await eachWindow(files, linear.block, async (file, first, count) => {
        const errors = await readErrors(file, module, bitCounts(linear), count)
        targets.set(errors.subarray(0, count), first)
      })
      return targets
    },
    readFeatures: async (feature) => {
      const { block } = linears.find((linear) => linear.feature === feature)!
      const width = files.widthOf(feature)
      const data = new Float32Array(total * width)
      await eachWindow(files, block, async (file, first, count) => {
        data.set(toFloat32(await readFeatures(file, feature, count, width)), first * width)
      })
      return { dtype: 'f32', shape: [total, width], data }
    },
  }
}

/** Calls `use` with the block's file of every window, and which of all tokens are in it. */
async function eachWindow(
  { folder, fingerprint, tokens }: ErrorFiles,
  block: number,
  use: (file: Awaited<ReturnType<typeof openErrorFile>>, first: number, count: number) => Promise<void>,
): Promise<void> {
  let first = 0
  for (const [window, count] of tokens.entries()) {
    await using file = await openErrorFile(errorFilePath(folder, block, window), fingerprint)
    await use(file, first, count)
    first += count
  }
}

/** Bit counts whose errors are kept of a linear. */
export function bitCounts({ minBits, maxBits }: Pick<MeasuredLinear, 'minBits' | 'maxBits'>): number {
  return maxBits - minBits + 1
}

/** Adds the sum of every row of `errors` [rows, tokens] to `sums`. */
function addRows(sums: Float64Array, errors: Float32Array): void {
  const tokens = errors.length / sums.length
  for (let row = 0; row < sums.length; row++) {
    for (let i = row * tokens; i < (row + 1) * tokens; i++) sums[row] += errors[i]
  }
}
