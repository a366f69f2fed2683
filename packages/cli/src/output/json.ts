import type { Output } from '../io.js'

/** One line of JSON. */
export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value)}\n`)
}
