/** Milliseconds of work between two pauses: short enough for a server to go on answering. */
const WORK = 30

/**
 * Makes a function for the loops of long work: it lets the event loop run now and then, and throws the signal's reason
 * once that is aborted.
 */
export function createPauses(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now()
  return async () => {
    signal?.throwIfAborted()
    if (performance.now() - last < WORK) return
    await new Promise((resolve) => setTimeout(resolve))
    last = performance.now()
    signal?.throwIfAborted()
  }
}
