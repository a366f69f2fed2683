import type { Plot } from './draw.js'
import { tokenScale } from './draw-tokens.js'
import { boxes, labels, plot } from './marks.js'
import type { Theme } from './theme.js'
import { type BitToken, type TokenBits, visibleText } from './token-bits.js'

/** Letters of one width, so that grounds fit them without measuring. */
const FONT = 'Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace'
/** Pixels. */
const PADDING = { left: 6, right: 6, top: 14, bottom: 0 }
const LINE = 30
const LETTER = { size: 13, width: 7.85, ground: 20 }
/** Characters that take two columns: those of East Asia, and emoji. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]|\p{Extended_Pictographic}/u

/** A text, each token on a ground and a line of its bits; for where there is no HTML. */
export function tokenTextPlot({ tokens }: TokenBits, theme: Theme, width: number): Plot {
  const scale = tokenScale(tokens)
  const room = width - PADDING.left - PADDING.right
  const { placed, lines } = setTokens(tokens, Math.floor(room / LETTER.width))
  const ends = placed.map(({ column, columns, line, bits }) => {
    const [x, y] = [column * LETTER.width, line * LINE]
    return { x, y, x2: x + columns * LETTER.width - 1, y2: y + LETTER.ground, part: scale.part(bits) }
  })
  const grounds = ends.map(({ part, ...box }) => ({ ...box, color: theme.shade(part) }))
  const under = ends.map(({ part, ...box }) => ({ ...box, y: box.y2, y2: box.y2 + 1 + 5 * part, color: theme.series.blue }))
  const texts = placed.map(({ text }, i) => ({
    // Vega leaves out spaces around a text, and SVG all but one inside.
    ...{ x: ends[i].x + LETTER.width * (text.length - text.trimStart().length), y: ends[i].y + LETTER.ground / 2 },
    ...{ text: text.trim().replaceAll(' ', '\u00a0'), color: theme.ink },
  }))
  const layers = [boxes(grounds), boxes(under), labels(texts, { size: LETTER.size, align: 'left', font: FONT })]
  return plot({ width: room, height: lines * LINE }, PADDING, layers)
}

/** Sets tokens in lines of so many columns; after a line end in the text a new line begins. */
function setTokens(tokens: readonly BitToken[], most: number) {
  const placed: (BitToken & { column: number; columns: number; line: number })[] = []
  let [column, line] = [0, 0]
  for (const { text: raw, bits } of tokens) {
    const text = visibleText(raw)
    const columns = [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0)
    if (column > 0 && column + columns > most) [column, line] = [0, line + 1]
    placed.push({ text, bits, column, columns, line })
    column += columns
    if (raw.includes('\n')) [column, line] = [0, line + 1]
  }
  return { placed, lines: line + 1 }
}
