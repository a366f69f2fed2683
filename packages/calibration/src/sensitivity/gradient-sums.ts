import { FileFormatError, InvalidArgumentError, type Tensor } from '@dpllm/core'
import { type GradientFile, type GradientMode, openGradientFiles } from './gradient-files.js'

/** Sums over samples of weight gradients or of their squares, in files. */
export interface GradientSums extends AsyncDisposable {
  /** [rows, cols] of every module whose sums are finished. */
  readonly shapes: ReadonlyMap<string, readonly [rows: number, cols: number]>
  /** Samples in each sum: what to divide by for a mean. */
  readonly samples: number
  /**
   * Reads rows `first` … `first + count − 1` of a module's sum.
   * @returns f32 [count, cols]
   * @throws InvalidArgumentError for a module or rows that are not there; FileFormatError for values that are not finite, or
   * negative among squares
   */
  readRows(module: string, first: number, count: number, options?: { signal?: AbortSignal | undefined }): Promise<Float32Array>
}

/**
 * Opens what `measureFisher` or `measureGradientSums` have finished in a folder.
 * @param fingerprint that they were called with
 * @throws FileFormatError for a damaged file, or one with another fingerprint
 */
export async function openGradientSums(folder: string, mode: GradientMode, fingerprint: string): Promise<GradientSums> {
  const files = await openGradientFiles(folder, mode, fingerprint)
  const finished = files.filter(({ done, total }) => done === total)
  const fileOf = new Map<string, GradientFile>()
  for (const file of finished) for (const module of file.file.tensors.keys()) fileOf.set(module, file)
  const shapes = new Map(
    [...fileOf].map(([module, { file }]) => [module, file.tensors.get(module)!.shape as readonly [number, number]]),
  )
  const isBad = mode === 'squares' ? (x: number) => !(x >= 0 && x < Number.POSITIVE_INFINITY) : (x: number) => !Number.isFinite(x)
  return {
    shapes,
    samples: finished[0]?.done ?? 0,
    async readRows(module, first, count, options) {
      const file = fileOf.get(module)?.file
      if (file === undefined) throw new InvalidArgumentError('module', 'one whose gradients are measured', module)
      const cols = shapes.get(module)![1]
      const { data } = (await file.readElements(module, first * cols, count * cols, options)) as Tensor<'f32'>
      const bad = data.findIndex(isBad)
      if (bad < 0) return data
      const place = `row ${first + Math.floor(bad / cols)}, column ${bad % cols}`
      throw new FileFormatError(file.path, `expected sums of ${mode}, found ${data[bad]} at ${place}`, { item: module })
    },
    async [Symbol.asyncDispose]() {
      for (const file of files) await file[Symbol.asyncDispose]()
    },
  }
}
