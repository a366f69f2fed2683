import { axes } from './axes.js'
import { type BitScale, bitScale } from './bit-scale.js'
import type { Plot } from './draw.js'
import { boxes, labels, line, plot, strokes } from './marks.js'
import { placeLabels } from './place-labels.js'
import type { Theme } from './theme.js'
import type { BitToken, TokenBits } from './token-bits.js'

/** Pixels. */
const PADDING = { left: 46, right: 74, top: 30, bottom: 40 }
const HEIGHT = 190

/** A bar for each token, with their running mean and the target. */
export function tokenPlot({ tokens, targetBits }: TokenBits, theme: Theme, width: number): Plot {
  const scale = tokenScale(tokens)
  const room = { width: width - PADDING.left - PADDING.right, height: HEIGHT - PADDING.top - PADDING.bottom }
  const bar = room.width / tokens.length
  const x = { type: 'linear', domain: [0.5, tokens.length + 0.5], at: (token: number) => (token - 0.5) * bar } as const
  const y = {
    type: 'linear',
    domain: [scale.least, scale.most],
    at: (bits: number) => room.height * (1 - scale.part(bits)),
  } as const
  const bars = tokens.map(({ bits }, i) => ({
    ...{ x: i * bar, x2: (i + 1) * bar - Math.min(1, bar / 4), y: y.at(bits), y2: room.height },
    color: theme.shade(scale.part(bits)),
  }))
  const means = runningMeans(tokens)
  const ends = [
    ...means.slice(-1).map((mean) => ({ bits: mean, text: `mean ${mean.toFixed(2)}`, color: theme.series.vermillion })),
    ...(targetBits === null ? [] : [{ bits: targetBits, text: `target ${targetBits}`, color: theme.muted }]),
  ]
  const wanted = ends.map(({ bits }) => y.at(bits))
  const heights = placeLabels(wanted, 14, room.height)
  const names = ends.map(({ text, color }, i) => ({ x: room.width + 8, y: heights[i], text, color }))
  const target = targetBits === null ? [] : [{ x: 0, x2: room.width, y: y.at(targetBits), y2: y.at(targetBits) }]
  const head = { x: 6 - PADDING.left, y: 10 - PADDING.top, text: 'bits of each token, and their mean so far', color: theme.muted }
  return plot(room, PADDING, [
    axes(
      { title: 'token', scale: x, count: 8, step: 1 },
      { scale: y, count: scale.most - scale.least, step: 1, format: 'd' },
      theme,
    ),
    boxes(bars),
    strokes(target, { color: theme.muted, dash: [2, 3] }),
    line(
      means.map((mean, i) => ({ x: x.at(i + 2), y: y.at(mean) })),
      { color: theme.series.vermillion, width: 2 },
    ),
    labels(names, { size: 11, align: 'left' }),
    labels([head], { size: 12, align: 'left' }),
  ])
}

/** Of all tokens but the first, whose bits are the prompt's. */
export const tokenScale = (tokens: readonly BitToken[]): BitScale =>
  bitScale((tokens.length > 1 ? tokens.slice(1) : tokens).map(({ bits }) => bits))

/** Means of the decoded tokens so far: without the first, as effective bits are counted. */
function runningMeans(tokens: readonly BitToken[]): number[] {
  let sum = 0
  return tokens.slice(1).map(({ bits }, i) => {
    sum += bits
    return sum / (i + 1)
  })
}
