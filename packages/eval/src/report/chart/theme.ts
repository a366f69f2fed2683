/** The colours that series are told apart by, besides their shapes and dashes. */
export const seriesColors = ['blue', 'vermillion', 'green', 'purple', 'ochre', 'teal', 'rose', 'gray'] as const
export type SeriesColor = (typeof seriesColors)[number]

/** The colours of a drawing, as SVG takes them. */
export interface Theme {
  /** What is drawn on. */
  readonly surface: string
  readonly ink: string
  /** Axes and notes. */
  readonly muted: string
  readonly grid: string
  readonly series: Readonly<Record<SeriesColor, string>>
  /** A ground that ink can be read on: from nearly the surface's colour at 0 to the ramp's strongest at 1. */
  readonly shade: (part: number) => string
}

/** How much of the ramp's colour its weakest and strongest shades have; ink keeps a contrast of 4.5 on the strongest. */
const RAMP = { color: 'blue', least: 0.06, light: 0.62, dark: 0.5 } as const

/**
 * On white. Every colour but the grid's has a contrast of at least 4.5 against the ground (WCAG 2.2, 1.4.3), as labels are
 * written in them; hues are those of Okabe and Ito, which stay apart without one of the cones, in darker shades.
 */
export const lightTheme: Theme = {
  surface: '#ffffff',
  ink: '#1b1d21',
  muted: '#5b606a',
  grid: '#e3e5e9',
  series: {
    blue: '#0b5cad',
    vermillion: '#b84a00',
    green: '#00704a',
    purple: '#8a3a8f',
    ochre: '#806000',
    teal: '#0f6b80',
    rose: '#b52d5c',
    gray: '#5b606a',
  },
  shade: (part) => mix(lightTheme.series[RAMP.color], lightTheme.surface, RAMP.least + (RAMP.light - RAMP.least) * part),
}

/** The same hues on nearly black, in lighter shades of the same contrast. */
export const darkTheme: Theme = {
  surface: '#15171b',
  ink: '#e9ebef',
  muted: '#a3a9b4',
  grid: '#30343b',
  series: {
    blue: '#6cb2ff',
    vermillion: '#ff9a57',
    green: '#4ccf9c',
    purple: '#d79be0',
    ochre: '#dcb23c',
    teal: '#5cc8e0',
    rose: '#ff8fb0',
    gray: '#a3a9b4',
  },
  shade: (part) => mix(darkTheme.series[RAMP.color], darkTheme.surface, RAMP.least + (RAMP.dark - RAMP.least) * part),
}

/** Colours that the page sets: a drawing inside it changes with the page. */
export const pageTheme: Theme = {
  surface: 'var(--surface)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  series: Object.fromEntries(seriesColors.map((name) => [name, `var(--${name})`])) as Record<SeriesColor, string>,
  shade: (part) => `color-mix(in srgb, var(--shade-most) ${(100 * part).toFixed(1)}%, var(--shade-least))`,
}

/** CSS declarations of the variables that `pageTheme` names. */
export function themeVariables({ surface, ink, muted, grid, series, shade }: Theme): string {
  const colors = { surface, ink, muted, grid, ...series, 'shade-least': shade(0), 'shade-most': shade(1) }
  return Object.entries(colors)
    .map(([name, color]) => `--${name}:${color};`)
    .join('')
}

/** Two colours #rrggbb, mixed in sRGB as CSS does. */
function mix(color: string, ground: string, part: number): string {
  const channel = (text: string, i: number) => Number.parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16)
  const mixed = [0, 1, 2].map((i) => Math.round(part * channel(color, i) + (1 - part) * channel(ground, i)))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
