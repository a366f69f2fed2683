import { type Backend, createRandom, InvalidArgumentError, type StepProfile, staticPolicy, type Weight } from '@dpllm/core'
import { interleavedRounds, medianOf, type Ratio, type RoundOptions, ratioOf } from '../compare/rounds.js'
import { inputOfWidth, linearProgram } from './linear-program.js'
import { fastRandomPlanes } from './random-planes.js'

export interface KernelOptions extends RoundOptions {
  /** The one that the backend was given: kernels are timed by it, without the handing over of steps. */
  readonly stepProfile: StepProfile
  /** Reads arrays once on as many threads as the backend has, and says how many milliseconds it took: `readMemory` of @dpllm/cpu-kernels. */
  readonly readMemory: (arrays: readonly Uint8Array[]) => Promise<number>
  /** [rows, cols] of matrices; default those of Llama-3-8B. */
  readonly shapes?: readonly (readonly [rows: number, cols: number])[] | undefined
  /** Default 3, 4, 5, 6 and 8. */
  readonly bits?: readonly number[] | undefined
  /** Vectors that are multiplied at once; default 1. */
  readonly tokens?: number | undefined
  /** Bytes that one pass reads at the fewest bits, at least: several times what caches hold. Default 160 MiB. */
  readonly bytes?: number | undefined
}

/** The product of a bit-plane matrix with one or more vectors. */
export interface KernelRow {
  readonly rows: number
  readonly cols: number
  readonly bits: number
  readonly tokens: number
  /** Of the planes that are read. */
  readonly gigabytesPerSecond: number
  /** Of a plain read of the same planes, in the same rounds. */
  readonly readGigabytesPerSecond: number
  /** The kernel's speed relative to the read's, round by round. */
  readonly fraction: Ratio
  /** Milliseconds of each round for one matrix. */
  readonly kernelRounds: Float64Array
  readonly readRounds: Float64Array
}

/** What Llama-3-8B has: q, o; gate, up; down; k, v. */
const llamaShapes = [
  [4096, 4096],
  [14336, 4096],
  [4096, 14336],
  [1024, 4096],
] as const

/**
 * Measures the products with bit-planes by themselves, on matrices that no cache holds: bytes per second of the planes that are read,
 * and what part of a plain read's speed that is. Reads and kernels take turns.
 * @param backend its owner goes on to own it
 */
export async function benchKernels(backend: Backend, options: KernelOptions): Promise<KernelRow[]> {
  const {
    shapes = llamaShapes,
    bits = [3, 4, 5, 6, 8],
    tokens = 1,
    bytes = 160 * 2 ** 20,
    stepProfile,
    readMemory,
    ...rounds
  } = options
  if (!Number.isInteger(tokens) || tokens < 1) throw new InvalidArgumentError('tokens', 'a whole number of at least 1', tokens)
  if (bits.length === 0) throw new InvalidArgumentError('bits', 'at least one bit count', 'none')
  const rowsOfAll: KernelRow[] = []
  for (const [rows, cols] of shapes) {
    const onProgress =
      rounds.onProgress && ((p: { done: number; total: number }) => rounds.onProgress!({ ...p, stage: `${rows}x${cols}` }))
    const planeBytes = rows * Math.ceil(cols / 32) * 4
    const count = Math.ceil(bytes / (planeBytes * Math.min(...bits)))
    const random = createRandom(0)
    const linears = Array.from({ length: count }, (_, i) => ({ name: `matrix.${i}`, rows, cols }))
    const weights = linears.map(() => fastRandomPlanes(random, rows, cols, Math.min(...bits), Math.max(...bits)))
    const named = new Map<string, Weight>(linears.map(({ name }, i) => [name, weights[i]]))
    await using program = await backend.compile(linearProgram(linears), named)
    using cache = program.createCache(tokens)
    const inputs = { [inputOfWidth(cols)]: Float32Array.from({ length: tokens * cols }, () => random.uniform() - 0.5) }
    const outputs = linears.map(({ name }) => `${name}.out`)
    const turnsAt = (b: number) => {
      const policy = staticPolicy(linears.map(() => b))
      const read = weights.map(({ planes }) => new Uint8Array(planes.buffer, planes.byteOffset, b * planeBytes))
      const kernel = async () => {
        const before = stepProfile.operators.linear ?? 0
        await program.run({ tokens: new Uint32Array(tokens), position: 0, cache, policy, inputs, outputs })
        return (stepProfile.operators.linear ?? 0) - before
      }
      return [kernel, () => readMemory(read)]
    }
    const times = await interleavedRounds(bits.flatMap(turnsAt), { ...rounds, onProgress })
    bits.forEach((b, i) => {
      const [kernel, read] = [times[2 * i], times[2 * i + 1]]
      const speed = (t: Float64Array) => (count * b * planeBytes) / medianOf(t) / 1e6
      rowsOfAll.push({
        ...{ rows, cols, bits: b, tokens },
        gigabytesPerSecond: speed(kernel),
        readGigabytesPerSecond: speed(read),
        fraction: ratioOf(read, kernel),
        kernelRounds: kernel.map((time) => time / count),
        readRounds: read.map((time) => time / count),
      })
    })
  }
  return rowsOfAll
}
