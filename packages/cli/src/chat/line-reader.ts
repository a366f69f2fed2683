import { createInterface } from 'node:readline'
import type { Io } from '../io.js'

/** Reads what a person types, or what comes through a pipe, line by line. */
export interface LineReader extends Disposable {
  /** The next line; undefined when there will be none. A terminal shows `> `. */
  next(): Promise<string | undefined>
  /** Shows `> ` again, after something was said. */
  prompt(): void
  /** No more lines, whatever comes. */
  end(): void
}

/** @param onInterrupt called on Ctrl-C, which a terminal being read does not turn into SIGINT */
export function createLineReader({ stdin, stderr }: Io, onInterrupt: () => void): LineReader {
  const terminal = stdin.isTTY === true
  const reader = createInterface({ input: stdin, terminal, prompt: '> ', ...(terminal ? { output: stderr } : {}) })
  const waiting: string[] = []
  let ended = false
  let wake: (() => void) | undefined
  reader.on('line', (line) => {
    waiting.push(line)
    wake?.()
  })
  reader.on('close', () => {
    ended = true
    wake?.()
  })
  reader.on('SIGINT', onInterrupt)
  const prompt = () => {
    if (terminal && !ended) reader.prompt()
  }
  return {
    async next() {
      prompt()
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return waiting.shift()
    },
    prompt,
    end: () => reader.close(),
    [Symbol.dispose]: () => reader.close(),
  }
}
