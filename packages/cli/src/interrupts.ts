import type { Io } from './io.js'

/** Ctrl-C was pressed. */
export class Interrupted extends Error {}

/** Nobody reads the output any more, as in `dpllm run … | head -1`. */
export class OutputClosed extends Error {}

/** What ends a command early. */
export interface Interrupts extends Disposable {
  /** Aborted with `Interrupted` or `OutputClosed` as its reason. */
  readonly signal: AbortSignal
  /** What Ctrl-C leaves and how to go on; for the message. */
  readonly note: string
  explain(note: string): void
  /** Gives Ctrl-C another meaning until disposed. */
  handle(handler: () => void): Disposable
}

/** Listens until disposed. The first Ctrl-C aborts; a second one ends the process, as it does by default. */
export function listenForInterrupts({ signals, stdout, stderr }: Io): Interrupts {
  const controller = new AbortController()
  const abort = () => {
    signals.off('SIGINT', onSigint)
    controller.abort(new Interrupted('interrupted'))
  }
  let handler = abort
  let note = ''
  const onSigint = () => handler()
  const onOutputError = (error: NodeJS.ErrnoException) => {
    controller.abort(error.code === 'EPIPE' ? new OutputClosed('nobody reads the output') : error)
  }
  const onErrorOutputError = () => {}
  signals.on('SIGINT', onSigint)
  stdout.on('error', onOutputError)
  stderr.on('error', onErrorOutputError)
  return {
    signal: controller.signal,
    get note() {
      return note
    },
    explain(text) {
      note = text
    },
    handle(other) {
      handler = other
      return {
        [Symbol.dispose]: () => {
          handler = abort
        },
      }
    },
    [Symbol.dispose]: () => {
      // The listeners for errors stay: a pipe may close while the last output drains.
      signals.off('SIGINT', onSigint)
    },
  }
}
