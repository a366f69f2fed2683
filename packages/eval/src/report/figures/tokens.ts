import type { BitToken } from '../chart/token-bits.js'
import type { Figure, Table } from '../figure.js'
import { bits, slug } from '../format.js'
import { figureGroups, groupBy } from '../group.js'
import type { LatencyMeasurement } from '../measurements.js'
import { nearestTarget } from './choose.js'
import { idOf } from './perplexity.js'

/** Tokens that a row of the table is about. */
const ROW_TOKENS = 10
/** Most tokens that a figure shows. */
const MOST_TOKENS = 400

/** The bits of each token of an answer: for each method that decides them, the first answer at its middle target. */
export function tokenFigures(latencies: readonly LatencyMeasurement[]): Figure[] {
  return figureGroups(latencies).flatMap((group) =>
    [...groupBy(group.items.filter(decides), ({ tables, label }) => JSON.stringify([tables, label])).values()].map(
      (items): Figure => {
        const item = nearestTarget(items)
        const [answer] = item.answers
        const tokens = wholeCharacters(answer.tokens.slice(0, MOST_TOKENS))
        const severalTables = new Set(group.items.map(({ tables }) => tables)).size > 1
        const about = [item.label, ...(severalTables && item.tables !== null ? [item.tables] : []), ...group.details].join(', ')
        const target = item.targetBits === null ? '' : ` at ${bits(item.targetBits)} bits`
        return {
          id: [idOf('tokens', group), ...(item.tables === null ? [] : [slug(item.tables)]), slug(item.label)].join('-'),
          title: `Bits of each token: ${about}${target}`,
          caption: `An answer of ${group.model}, token by token: the stronger the ground and the thicker the line below, the more bits the step read that gave the token. The first token comes out of the prompt, which is read at all bits.`,
          drawing: { kind: 'tokens', prompt: answer.prompt, tokens, targetBits: item.targetBits },
          table: tokenTable(tokens),
          commands: [item.command],
        }
      },
    ),
  )
}

/** Whether tokens of an answer took different bits, the first aside. */
function decides({ answers }: LatencyMeasurement): boolean {
  const [, ...decoded] = answers[0]?.tokens ?? []
  return new Set(decoded.map((token) => token.bits)).size > 1
}

/** A token without text is a part of a character that the next ones complete: they are shown as one, with the mean of their bits. */
export function wholeCharacters(tokens: readonly BitToken[]): BitToken[] {
  const found: BitToken[] = []
  let waiting: number[] = []
  for (const { text, bits: read } of tokens) {
    waiting.push(read)
    if (text === '') continue
    found.push({ text, bits: waiting.reduce((sum, value) => sum + value, 0) / waiting.length })
    waiting = []
  }
  return found
}

function tokenTable(tokens: readonly BitToken[]): Table {
  const rows = []
  for (let first = 0; first < tokens.length; first += ROW_TOKENS) {
    const part = tokens.slice(first, first + ROW_TOKENS)
    const read = part.map((token) => token.bits)
    const mean = read.reduce((sum, value) => sum + value, 0) / read.length
    const numbers = [mean, Math.min(...read), Math.max(...read)].map((value) => ({ text: value.toFixed(2) }))
    rows.push([{ text: `${first + 1}–${first + part.length}` }, { text: part.map(({ text }) => text).join('') }, ...numbers])
  }
  return {
    columns: [
      { title: 'tokens' },
      { title: 'text' },
      ...['mean bits', 'least', 'most'].map((title) => ({ title, numeric: true })),
    ],
    rows,
  }
}
