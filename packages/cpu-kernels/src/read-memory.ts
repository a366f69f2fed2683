import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from '@dpllm/core'
import { loadAddon } from './load-addon.js'
import { MAX_THREADS } from './settings.js'

/**
 * Reads arrays once, front to back, as fast as the machine reads memory: what kernels that read the same bytes are measured
 * against. They must not change meanwhile. Every thread reads its own contiguous share.
 * @param threads default one for each core
 * @returns milliseconds, without the starting of threads
 * @throws BackendUnavailableError if the addon cannot be loaded
 */
export async function readMemory(arrays: readonly Uint8Array[], threads = availableParallelism()): Promise<number> {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new InvalidArgumentError('threads', `an integer from 1 to ${MAX_THREADS}`, threads)
  const milliseconds = new Float64Array(1)
  await loadAddon().addon.readMemory({ spans: arrays, milliseconds, threads })
  return milliseconds[0]
}
