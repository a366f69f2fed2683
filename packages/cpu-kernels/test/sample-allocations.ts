import { type HeapProfiler, Session } from 'node:inspector/promises'

/**
 * Bytes that JavaScript takes on its heap while `body` runs, garbage included, by sampling every 128 bytes: the error over
 * some hundred kilobytes is a few percent.
 */
export async function sampleAllocations(body: () => Promise<void>): Promise<number> {
  const session = new Session()
  session.connect()
  try {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 128,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    } as HeapProfiler.StartSamplingParameterType)
    await body()
    const { profile } = await session.post('HeapProfiler.stopSampling')
    return bytesOf(profile.head)
  } finally {
    session.disconnect()
  }
}

function bytesOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesOf(child), selfSize)
}
