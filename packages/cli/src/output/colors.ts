import pc from 'picocolors'
import type { Output } from '../io.js'

/** Colours for a stream: none unless it is a terminal and NO_COLOR is not set (no-color.org). */
export function colorsFor(stream: Output) {
  return pc.createColors(stream.isTTY === true && !process.env.NO_COLOR)
}
