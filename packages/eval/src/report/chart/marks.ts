import type { TopLevelSpec } from 'vega-lite'
import type { Plot } from './draw.js'

/** A layer of a plot in Vega-Lite's words. The functions of this file place marks by pixels from the plot's upper left. */
export type Layer = object

export interface Box {
  readonly x: number
  readonly y: number
  readonly x2: number
  readonly y2: number
  readonly color: string
}

export interface Label {
  readonly x: number
  readonly y: number
  readonly text: string
  readonly color: string
}

export interface LabelStyle {
  readonly size: number
  readonly align?: 'left' | 'right' | 'center'
  readonly weight?: number
  /** Default: the drawing's. */
  readonly font?: string
}

export interface LineStyle {
  readonly color: string
  readonly width?: number
  /** Lengths of dashes and gaps. */
  readonly dash?: readonly number[]
  readonly opacity?: number
}

type Point = { readonly x: number; readonly y: number }

export const boxes = (values: readonly Box[]): Layer => ({
  data: { values },
  mark: { type: 'rect' },
  encoding: { ...place, ...end, color: literal },
})

/** Texts in the middle of their heights. */
export const labels = (values: readonly Label[], { size, align = 'center', weight = 400, font }: LabelStyle): Layer => ({
  data: { values },
  mark: { type: 'text', baseline: 'middle', align, fontSize: size, fontWeight: weight, ...(font && { font }) },
  encoding: { ...place, text: { field: 'text', type: 'nominal' }, color: literal },
})

/** Straight lines of their own. */
export const strokes = (values: readonly Omit<Box, 'color'>[], style: LineStyle): Layer => ({
  data: { values },
  mark: { type: 'rule', ...stroke(style) },
  encoding: { ...place, ...end },
})

/** One line through all points, in their order. */
export const line = (values: readonly Point[], style: LineStyle): Layer => ({
  data: { values: values.map(({ x, y }) => ({ x, y })) },
  mark: { type: 'line', strokeCap: 'round', strokeJoin: 'round', ...stroke(style) },
  encoding: { ...place, order: { value: 0 } },
})

/** @param style.rim of the colour behind, so that points stand out from lines and each other */
export const points = (
  values: readonly Point[],
  style: { readonly shape: string; readonly color: string; readonly size: number; readonly rim: string },
): Layer => ({
  data: { values: values.map(({ x, y }) => ({ x, y })) },
  mark: {
    ...{ type: 'point', shape: style.shape, size: style.size, opacity: 1 },
    ...{ filled: true, fill: style.color, stroke: style.rim, strokeWidth: 1 },
  },
  encoding: place,
})

export interface Padding {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** A plot of layers; what they draw beyond it lies on its padding. */
export function plot(room: { readonly width: number; readonly height: number }, padding: Padding, layer: readonly Layer[]): Plot {
  const width = padding.left + room.width + padding.right
  const height = padding.top + room.height + padding.bottom
  // Descriptions of single marks would be read out one by one: the drawing has a whole one, and the table its numbers.
  const config = { aria: false, view: { stroke: null } }
  const spec = { ...room, padding, autosize: 'none', background: null, layer, config }
  return { width, height, spec: spec as unknown as TopLevelSpec }
}

const pixel = (field: string): object => ({ field, type: 'quantitative', scale: null, axis: null })
const place = { x: pixel('x'), y: pixel('y') }
const end = { x2: { field: 'x2' }, y2: { field: 'y2' } }
const literal = { field: 'color', type: 'nominal', scale: null }
const stroke = ({ color, width = 1, dash = [], opacity = 1 }: LineStyle): object => ({
  ...{ color, strokeWidth: width, strokeDash: dash, opacity },
})
