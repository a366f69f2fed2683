import { loadAddon } from './load-addon.js'

/** Below this a large page would be mostly empty. */
const LARGE_BYTES = 2 ** 20

/**
 * A buffer for a tensor that the CPU backend is to read often: aligned, and in large pages where the system has them, which
 * are written and read faster. Its content is undefined. An ordinary, zeroed one where it is small or the addon cannot be
 * loaded.
 * @throws RangeError if there is no memory
 */
export function allocate(bytes: number): ArrayBuffer {
  if (bytes < LARGE_BYTES) return new ArrayBuffer(bytes)
  const native = nativeAllocate()
  if (native === undefined) return new ArrayBuffer(bytes)
  try {
    return native(bytes)
  } catch (cause) {
    throw new RangeError((cause as Error).message, { cause })
  }
}

function nativeAllocate(): ((bytes: number) => ArrayBuffer) | undefined {
  try {
    return loadAddon().addon.allocate
  } catch {
    return undefined
  }
}
