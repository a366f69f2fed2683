import type { BitPlaneWeight, OnProgress } from '@dpllm/core'
import { type ErrorReaders, measureErrors, type QuantizationErrors } from './quantization-errors.js'

/** A linear whose weight is given when its turn comes, so that not all need be in memory. */
export interface ErrorSource {
  readonly module: string
  readonly weights: number
  readonly read: () => BitPlaneWeight | Promise<BitPlaneWeight>
}

/**
 * `measureErrors` of all linears, one after another: each weight is read once, for all cost tables.
 * @throws as `measureErrors`
 */
export async function measureAllErrors(
  linears: readonly ErrorSource[],
  readers: ErrorReaders,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined } = {},
): Promise<QuantizationErrors[]> {
  const total = linears.reduce((sum, { weights }) => sum + weights, 0)
  let done = 0
  const onWeights = (count: number) => {
    done += count
    onProgress?.({ stage: 'measure errors', done, total, unit: 'weights' })
  }
  const errors: QuantizationErrors[] = []
  for (const { module, read } of linears) errors.push(await measureErrors(module, await read(), readers, { signal, onWeights }))
  return errors
}
