import type { SeriesColor } from './theme.js'

/** How a series looks: by colour, by shape and by dash, so that any one of them is enough. */
export interface SeriesStyle {
  readonly color: SeriesColor
  /** A shape of Vega's symbols. */
  readonly shape: Shape
  /** Lengths of dashes and gaps in pixels; none for a solid line, undefined for points without a line. */
  readonly dash: readonly number[] | undefined
  /** Drawn heavier than the others. */
  readonly strong?: boolean
}

type Shape = 'circle' | 'square' | 'triangle-up' | 'triangle-down' | 'diamond' | 'cross' | 'triangle-right' | 'triangle-left'

/** Known ways to decide bits look the same in every figure and report. */
const known: Readonly<Record<string, SeriesStyle>> = {
  budget: { color: 'blue', shape: 'circle', dash: [], strong: true },
  'dp-llm': { color: 'vermillion', shape: 'square', dash: [] },
  static: { color: 'green', shape: 'triangle-up', dash: [6, 3] },
  'hawq-v2': { color: 'purple', shape: 'diamond', dash: [6, 3] },
  'llm-mq': { color: 'ochre', shape: 'triangle-down', dash: [6, 3] },
  lsaq: { color: 'teal', shape: 'cross', dash: [6, 3] },
  uniform: { color: 'gray', shape: 'diamond', dash: undefined },
}

const others: readonly SeriesStyle[] = [
  { color: 'rose', shape: 'triangle-right', dash: [] },
  { color: 'teal', shape: 'triangle-left', dash: [2, 2] },
  { color: 'purple', shape: 'circle', dash: [2, 2] },
  { color: 'ochre', shape: 'square', dash: [2, 2] },
  { color: 'green', shape: 'diamond', dash: [2, 2] },
  { color: 'rose', shape: 'triangle-up', dash: [8, 2, 2, 2] },
  { color: 'vermillion', shape: 'triangle-down', dash: [8, 2, 2, 2] },
  { color: 'blue', shape: 'cross', dash: [8, 2, 2, 2] },
]

/** A look for each name: a method's own if it is known, else the next that is left. */
export function seriesStyles(names: Iterable<string>): ReadonlyMap<string, SeriesStyle> {
  const styles = new Map<string, SeriesStyle>()
  let next = 0
  for (const name of names) {
    if (!styles.has(name)) styles.set(name, Object.hasOwn(known, name) ? known[name] : others[next++ % others.length])
  }
  return styles
}
