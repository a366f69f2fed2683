import type { Layer } from './marks.js'
import { type AxisScale, logTicks } from './scales.js'
import type { Theme } from './theme.js'

/** What an axis says. */
export interface AxisText {
  /** Default none. */
  readonly title?: string
  /** A d3-format of its numbers. */
  readonly format?: string | undefined
  /** Numbers that there should be; about as many as are good to read. */
  readonly count: number
  /** Least distance of two numbers. */
  readonly step?: number
}

/** A layer that draws nothing but the axes: a line and numbers below, a grid with numbers on the left and its title above it. */
export function axes(
  x: AxisText & { readonly scale: AxisScale },
  y: AxisText & { readonly scale: AxisScale },
  theme: Theme,
): Layer {
  const text = {
    labelColor: theme.muted,
    titleColor: theme.muted,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  }
  const position = ({ scale, title, format, count, step }: typeof x, axis: object) => ({
    type: 'quantitative',
    scale: { type: scale.type, domain: scale.domain, nice: false, ...(scale.type === 'linear' && { zero: false }) },
    axis: {
      ...text,
      title: title ?? null,
      format: format ?? (scale.domain[1] >= SHORT ? '~s' : undefined),
      tickCount: count,
      tickMinStep: step,
      ...(scale.type === 'log' && { values: logTicks(scale.domain) }),
      ticks: false,
      ...axis,
    },
  })
  const above = {
    titleAngle: 0,
    titleAlign: 'left',
    titleAnchor: 'end',
    titleBaseline: 'bottom',
    titleX: -TITLE.left,
    titleY: -TITLE.above,
  }
  return {
    // A mark there must be; it lies on both scales, and is not seen.
    data: { values: [{ x: x.scale.domain[0], y: y.scale.domain[0] }] },
    mark: { type: 'point', opacity: 0 },
    encoding: {
      x: { ...position(x, { grid: false, domainColor: theme.muted, labelPadding: 6, titlePadding: 8 }), field: 'x' },
      y: { ...position(y, { gridColor: theme.grid, domain: false, labelPadding: 8, ...above }), field: 'y' },
    },
  }
}

/** From here on, numbers are written 20k. */
const SHORT = 1e4
/** Where the title of the axis on the left begins, in pixels off the plot's corner. */
const TITLE = { left: 40, above: 10 }
