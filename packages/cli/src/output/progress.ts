import type { OnProgress, Progress } from '@dpllm/core'
import type { Output } from '../io.js'
import { formatBytes, formatCount, formatDuration } from './format.js'

/** Shows how far long work has come. */
export interface ProgressBar extends Disposable {
  readonly update: OnProgress
}

const REDRAW_MS = 100
/** Between lines where the output is no terminal. */
const LINE_MS = 5000
/** Stages that take less are not worth a line there. */
const SHORT_STAGE_MS = 1000
const BAR_WIDTH = 20
const CLEAR_LINE = '\r\x1b[K'

/**
 * One line with rate and remaining time: redrawn in place at most ten times a second on a terminal and gone when
 * disposed; elsewhere a plain line when a stage of more than a second ends, and every five seconds until then.
 * @param options.now clock in milliseconds
 */
export function createProgressBar(output: Output, { quiet = false, now = Date.now } = {}): ProgressBar {
  const terminal = output.isTTY === true
  let stage: { name: string; begun: number; firstDone: number } | undefined
  let shown = Number.NEGATIVE_INFINITY
  let dirty = false

  const update = ({ stage: name, done, total, unit = '' }: Progress) => {
    const time = now()
    if (stage?.name !== name) {
      stage = { name, begun: time, firstDone: done }
      shown = terminal ? Number.NEGATIVE_INFINITY : time
    }
    const complete = done >= total
    if (!complete && time - shown < (terminal ? REDRAW_MS : LINE_MS)) return
    if (!terminal && time - stage.begun < SHORT_STAGE_MS) return
    shown = time
    const line = describe({ name, done, total, unit }, (done - stage.firstDone) / ((time - stage.begun) / 1000), terminal)
    if (terminal) output.write(`${CLEAR_LINE}${line.slice(0, Math.max((output.columns || 80) - 1, 0))}`)
    else output.write(`${line}\n`)
    dirty = terminal
  }
  return {
    update: quiet ? () => {} : update,
    [Symbol.dispose]: () => {
      if (dirty) output.write(CLEAR_LINE)
      dirty = false
    },
  }
}

function describe(
  { name, done, total, unit }: { name: string; done: number; total: number; unit: string },
  rate: number,
  bar: boolean,
): string {
  const amount = unit === 'B' ? formatBytes : formatCount
  const part = total > 0 ? Math.min(done / total, 1) : 1
  const filled = Math.round(part * BAR_WIDTH)
  const parts = [
    name,
    ...(bar ? [`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`] : []),
    `${Math.floor(part * 100)}%`,
    `${amount(done)}/${amount(total)}${unit === '' || unit === 'B' ? '' : ` ${unit}`}`,
  ]
  if (rate > 0 && Number.isFinite(rate)) {
    parts.push(`${amount(rate >= 10 ? Math.round(rate) : rate)}/s`)
    if (done < total) parts.push(`${formatDuration((total - done) / rate)} left`)
  }
  return parts.join('  ')
}
