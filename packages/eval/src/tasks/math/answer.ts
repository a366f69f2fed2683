import type { Expression } from './expression.js'
import { parseLatex } from './parse-latex.js'

/** An answer, taken apart. */
export type Answer =
  | { readonly kind: 'expression'; readonly text: string; readonly expression: Expression }
  | { readonly kind: 'text'; readonly text: string }
  /** lhs = rhs. */
  | { readonly kind: 'equation'; readonly left: Answer; readonly right: Answer }
  /** Tuples, points, intervals: the order counts, and so do the brackets. */
  | { readonly kind: 'tuple'; readonly brackets: string; readonly items: readonly Answer[] }
  /** Solutions, sets and unions: the order does not count. */
  | { readonly kind: 'set'; readonly items: readonly Answer[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly Answer[])[] }

/** A number in a base other than ten is not the number that its digits are in base ten. */
const OTHER_BASE = /^(\d+)_\{?(\d+)\}?$/
/** Words are no products of their letters. */
const WORD = /(?<![\\a-zA-Z])[a-zA-Z]{3,}/
const MATRIX = /^\\begin\{([pbvBV]?matrix|array)\}(?:\{[lcr|]+\})?(.*)\\end\{\1\}$/s

/** @param text as `normalizeAnswer` gives it */
export function readAnswer(text: string): Answer {
  const matrix = MATRIX.exec(text)
  if (matrix) {
    const rows = matrix[2].split('\\\\').filter((row) => row !== '')
    return { kind: 'matrix', rows: rows.map((row) => row.split('&').map(readAnswer)) }
  }
  const parts = splitOutside(text, '\\cup')
  if (parts.length > 1) return { kind: 'set', items: parts.map(readAnswer) }
  const member = splitOutside(text, '\\in')
  if (member.length === 2 && /^[a-zA-Z]$/.test(member[0]) && !/^[a-z]/.test(member[1])) return readAnswer(member[1])
  const items = splitOutside(text, ',')
  if (items.length > 1) return { kind: 'set', items: items.flatMap(bothSigns).map(readAnswer) }
  const sides = splitOutside(text, '=')
  if (sides.length === 2 && sides.every((side) => side !== ''))
    return { kind: 'equation', left: readAnswer(sides[0]), right: readAnswer(sides[1]) }
  return bracketed(text) ?? leaf(text)
}

function bracketed(text: string): Answer | undefined {
  const set = /^\\\{(.*)\\\}$/s.exec(text)
  if (set) return { kind: 'set', items: splitOutside(set[1], ',').flatMap(bothSigns).map(readAnswer) }
  const brackets = `${text[0]}${text.at(-1)}`
  if (!['()', '[]', '(]', '[)'].includes(brackets)) return undefined
  const items = splitOutside(text.slice(1, -1), ',')
  // Brackets that do not belong together, as of (a+1)(b+2), leave a part that does not balance.
  if (items.length < 2 || !items.every(balanced)) return undefined
  return { kind: 'tuple', brackets, items: items.map(readAnswer) }
}

function leaf(text: string): Answer {
  const signs = bothSigns(text)
  if (signs.length > 1) return { kind: 'set', items: signs.map(readAnswer) }
  const base = OTHER_BASE.exec(text)
  if (base) return { kind: 'text', text: `${base[1]}_${base[2]}` }
  const expression = WORD.test(text) ? undefined : parseLatex(text)
  return expression === undefined ? { kind: 'text', text: text.toLowerCase() } : { kind: 'expression', text, expression }
}

/** a \pm b is two answers. */
function bothSigns(text: string): string[] {
  const [before, after, ...more] = text.split(/\\(?:pm|mp)(?![a-zA-Z])/)
  return after === undefined || more.length > 0 ? [text] : [`${before}+${after}`, `${before}-${after}`]
}

/** Splits at a separator that is inside no brackets. Half-open intervals count as brackets that belong together. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if ('([{'.includes(text[i])) depth++
    else if (')]}'.includes(text[i])) depth--
    else if (depth === 0 && text.startsWith(separator, i) && !commandGoesOn(text, i, separator)) {
      parts.push(text.slice(start, i).trim())
      i += separator.length - 1
      start = i + 1
    }
  }
  return [...parts, text.slice(start).trim()]
}

/** \in is not the beginning of \infty. */
function commandGoesOn(text: string, at: number, separator: string): boolean {
  return separator.startsWith('\\') && /[a-zA-Z]/.test(text[at + separator.length] ?? '')
}

function balanced(text: string): boolean {
  let depth = 0
  for (const c of text) {
    if ('([{'.includes(c)) depth++
    else if (')]}'.includes(c) && --depth < 0) return false
  }
  return depth === 0
}
