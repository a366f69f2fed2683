import type { SeriesStyle } from './series-style.js'

/** What one axis shows. */
export interface Axis {
  /** With the unit, and which way is better. */
  readonly title: string
  /** A d3-format of the numbers at its ticks. */
  readonly format?: string | undefined
  /** Least distance of two numbers. */
  readonly step?: number
  /** Begins at zero: for amounts, where twice as much should look it. */
  readonly zero?: boolean
}

/** A measurement. */
export interface ChartPoint {
  readonly x: number
  readonly y: number
  /** How far y may reach: a standard error off it, or percentiles. */
  readonly range?: readonly [low: number, high: number] | undefined
  /** Written above it. */
  readonly label?: string | undefined
}

/** Measurements of one kind, drawn in the order given. */
export interface Series {
  readonly name: string
  readonly style: SeriesStyle
  readonly points: readonly ChartPoint[]
}

/** A height to compare with, such as the unquantized model's. */
export interface Rule {
  readonly y: number
  readonly text: string
}

/** One plot of several with the same axes. */
export interface LinePanel {
  readonly title: string
  readonly series: readonly Series[]
  readonly rule?: Rule | undefined
  /** A broad line behind everything, such as a Pareto front. */
  readonly front?: readonly ChartPoint[] | undefined
}

/** Plots side by side, or one below the other where there is no room. */
export interface LineChart {
  readonly kind: 'lines'
  readonly x: Axis
  readonly y: Axis
  readonly panels: readonly LinePanel[]
}
