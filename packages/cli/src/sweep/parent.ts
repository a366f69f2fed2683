import { Interrupted } from '../interrupts.js'

/** Aborts with `signal`, or when the process that has started this one as a helper is gone. */
export function parentSignal(signal: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const stop = () => controller.abort(signal.aborted ? signal.reason : new Interrupted('interrupted'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  if (process.connected) process.once('disconnect', stop)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', stop)
      // The channel keeps a process alive as long as it is listened to.
      process.off('disconnect', stop)
    },
  }
}
