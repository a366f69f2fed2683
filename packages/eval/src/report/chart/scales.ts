/** How values lie on an axis. */
export interface AxisScale {
  readonly type: 'linear' | 'log'
  readonly domain: readonly [number, number]
  /** Where a value lies, in pixels. */
  readonly at: (value: number) => number
}

export interface ScaleOptions {
  /** Whether it may be logarithmic; default true. */
  readonly log?: boolean
  /** Whether it begins at zero, and so is linear; default false. */
  readonly zero?: boolean
}

/** Above this, the large values would press the small ones together. */
const LOG_RATIO = 3
/** Room beyond the outermost values, as a part of the whole. */
const MARGIN = 0.05

/**
 * A scale that holds all values, logarithmic where they are positive and far apart.
 * @param values finite numbers, at least one
 * @param range pixels of the axis's begin and end
 */
export function axisScale(values: readonly number[], range: readonly [number, number], options: ScaleOptions = {}): AxisScale {
  const { log = true, zero = false } = options
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const type = log && !zero && least > 0 && most / least > LOG_RATIO ? 'log' : 'linear'
  const [forward, back] = type === 'log' ? [Math.log, Math.exp] : [(value: number) => value, (value: number) => value]
  const [low, high] = [forward(zero ? Math.min(least, 0) : least), forward(most)]
  const room = high === low ? Math.max(Math.abs(low), 1) * MARGIN : (high - low) * MARGIN
  const [begin, end] = [zero && least >= 0 ? low : low - room, high + room]
  const at = (value: number) => range[0] + ((forward(value) - begin) / (end - begin)) * (range[1] - range[0])
  return { type, domain: [back(begin), back(end)], at }
}

/** Numbers for a logarithmic axis: 1, 2 and 5 times powers of ten. */
export function logTicks([least, most]: AxisScale['domain']): number[] {
  const powers = Array.from(
    { length: Math.floor(Math.log10(most)) - Math.floor(Math.log10(least)) + 1 },
    (_, i) => Math.floor(Math.log10(least)) + i,
  )
  return powers
    .flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power))
    .filter((value) => least <= value && value <= most)
}
