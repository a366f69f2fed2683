import type { HeatMaps } from './chart/heat-map.js'
import type { LineChart } from './chart/line-chart.js'
import type { TokenBits } from './chart/token-bits.js'

/** What a figure draws. */
export type Drawing = LineChart | HeatMaps | TokenBits

/** A number or text of a table. */
export interface Cell {
  readonly text: string
  /** Smaller, below it. */
  readonly note?: string
  /** The best of its column. */
  readonly best?: boolean
}

/** The numbers of a figure, for people who read rather than look. */
export interface Table {
  readonly columns: readonly { readonly title: string; readonly numeric?: boolean }[]
  readonly rows: readonly (readonly Cell[])[]
  /** What all of its rows are compared with. */
  readonly note?: string | undefined
}

/** A figure of a report. All its texts may come from outside. */
export interface Figure {
  /** Name of its files: small letters, digits and dashes; unique in a report. */
  readonly id: string
  readonly title: string
  /** What it shows and how to read it. */
  readonly caption: string
  readonly drawing: Drawing
  readonly table: Table
  /** What made its numbers, for a POSIX shell. */
  readonly commands: readonly string[]
}

/** Figures about one question. */
export interface Section {
  readonly id: string
  readonly title: string
  readonly figures: readonly Figure[]
}
