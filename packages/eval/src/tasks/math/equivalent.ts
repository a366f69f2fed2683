import { type Answer, readAnswer } from './answer.js'
import type { Expression } from './expression.js'
import { normalizeAnswer } from './normalize.js'
import { proportional, sameValue } from './same-value.js'

/** Longest answer that is looked into; longer ones must be the same text. */
const MAX_LENGTH = 2000

/**
 * Whether two answers to a mathematical question are the same: by value, not by text. 1/2, 0.5 and \frac{1}{2} are; so are
 * x = 5 and 5, the solutions 1, -2 and -2, 1, factored and expanded polynomials. Numbers that were rounded are not.
 * @param a, b LaTeX, with or without dollar signs
 */
export function equivalent(a: string, b: string): boolean {
  if (a.length > MAX_LENGTH || b.length > MAX_LENGTH) return a === b
  const [x, y] = [normalizeAnswer(a), normalizeAnswer(b)]
  if (x === '' || y === '') return false
  return x === y || sameAnswer(readAnswer(x), readAnswer(y))
}

function sameAnswer(a: Answer, b: Answer): boolean {
  if (a.kind === 'equation' && b.kind === 'equation') return sameEquation(a, b)
  if (a.kind === 'equation') return namesOnly(a.left) && sameAnswer(a.right, b)
  if (b.kind === 'equation') return sameAnswer(b, a)
  if (a.kind === 'set' && b.kind === 'set') return sameItems(a.items, b.items)
  if (a.kind === 'tuple' && b.kind === 'tuple') return a.brackets === b.brackets && sameInOrder(a.items, b.items)
  if (a.kind === 'matrix' && b.kind === 'matrix')
    return a.rows.length === b.rows.length && a.rows.every((row, i) => sameInOrder(row, b.rows[i]))
  if (a.kind === 'expression' && b.kind === 'expression') return sameExpression(a, b)
  return a.kind === 'text' && b.kind === 'text' && a.text === b.text
}

/** y and f(x) only name what they are equal to. */
function namesOnly(left: Answer): boolean {
  return left.kind === 'expression' && /^[a-zA-Z](?:\([a-zA-Z]\))?$/.test(left.text)
}

function sameEquation(a: Answer & { kind: 'equation' }, b: Answer & { kind: 'equation' }): boolean {
  if (sameAnswer(a.left, b.left) && sameAnswer(a.right, b.right)) return true
  const [x, y] = [difference(a), difference(b)]
  return x !== undefined && y !== undefined && proportional(x, y)
}

function difference({ left, right }: Answer & { kind: 'equation' }): Expression | undefined {
  if (left.kind !== 'expression' || right.kind !== 'expression') return undefined
  return { kind: 'apply', name: 'subtract', args: [left.expression, right.expression] }
}

function sameInOrder(a: readonly Answer[], b: readonly Answer[]): boolean {
  return a.length === b.length && a.every((item, i) => sameAnswer(item, b[i]))
}

/** Each item of a has a partner of its own in b. */
function sameItems(a: readonly Answer[], b: readonly Answer[]): boolean {
  if (a.length !== b.length) return false
  const left = [...b]
  return a.every((item) => {
    const i = left.findIndex((other) => sameAnswer(item, other))
    if (i >= 0) left.splice(i, 1)
    return i >= 0
  })
}

type ExpressionAnswer = Answer & { kind: 'expression' }

function sameExpression(a: ExpressionAnswer, b: ExpressionAnswer): boolean {
  const [x, y] = [decimal(a.text), decimal(b.text)]
  // Long numbers may differ in digits that a double does not have.
  return x !== undefined && y !== undefined ? x === y : sameValue(a.expression, b.expression)
}

/** A number written in decimals without zeros that say nothing. */
function decimal(text: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d+))?$/.exec(text)
  if (match === null || (match[2] === '' && match[3] === undefined)) return undefined
  const whole = match[2].replace(/^0+/, '')
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  const sign = match[1] === '-' && (whole !== '' || fraction !== '') ? '-' : ''
  return `${sign}${whole || '0'}${fraction && `.${fraction}`}`
}
