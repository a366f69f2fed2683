import { expect, test } from 'vitest'
import { darkTheme, lightTheme, pageTheme, seriesColors, themeVariables } from './theme.js'

/** Relative luminance of #rrggbb (WCAG 2.2). */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = Number.parseInt(color.slice(i, i + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

test('the measure of contrast is the known one', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 10)
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2)
})

test.each([
  ['light', lightTheme],
  ['dark', darkTheme],
])('%s: every colour that is written in can be read on the ground', (_, theme) => {
  for (const color of [theme.ink, theme.muted, ...Object.values(theme.series)])
    expect(contrast(color, theme.surface), color).toBeGreaterThanOrEqual(4.5)
})

test.each([
  ['light', lightTheme],
  ['dark', darkTheme],
])('%s: ink can be read on every shade, and shades go one way', (_, theme) => {
  const shades = Array.from({ length: 11 }, (_, i) => theme.shade(i / 10))
  for (const shade of shades) expect(contrast(theme.ink, shade), shade).toBeGreaterThanOrEqual(4.5)
  const distances = shades.map((shade) => contrast(shade, theme.surface))
  expect(distances).toEqual([...distances].sort((a, b) => a - b))
  expect(distances.at(-1)! / distances[0]).toBeGreaterThan(2)
})

test('the page names no variable that is not set', () => {
  const set = themeVariables(lightTheme)
  const used = [
    pageTheme.surface,
    pageTheme.ink,
    pageTheme.muted,
    pageTheme.grid,
    pageTheme.shade(0.5),
    ...seriesColors.map((name) => pageTheme.series[name]),
  ]
  const names = used.join(' ').match(/--[\w-]+/g)!
  expect(names.length).toBeGreaterThanOrEqual(4 + 2 + seriesColors.length)
  for (const name of names) expect(set).toMatch(new RegExp(`${name}:#[0-9a-f]{6};`))
  expect(themeVariables(darkTheme).match(/--[\w-]+/g)).toEqual(set.match(/--[\w-]+/g))
})
