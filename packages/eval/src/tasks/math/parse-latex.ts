import { type Expression, type FunctionName, namedFunctions } from './expression.js'
import { createLatexCursor, type LatexCursor, LatexError } from './latex-cursor.js'

/** Longest expression that is parsed; answers have some ten characters. */
const MAX_LENGTH = 1000
/** Most brackets inside each other. */
const MAX_DEPTH = 50

const GREEK = new Set([
  'alpha',
  'beta',
  'gamma',
  'delta',
  'theta',
  'lambda',
  'mu',
  'phi',
  'omega',
  'rho',
  'sigma',
  'infty',
  'Delta',
])
const PRODUCTS: Readonly<Record<string, FunctionName>> = {
  '\\cdot': 'multiply',
  '\\times': 'multiply',
  '*': 'multiply',
  '\\div': 'divide',
  '/': 'divide',
}
/** What can follow a factor and is another factor: 2x, 3\sqrt{2}, (a+1)(b+2). Numbers do not follow numbers. */
const FACTOR = /[a-zA-Z({]/

/** How deep inside brackets, and whether inside |…|. */
interface Place {
  readonly depth: number
  readonly absolute: boolean
}

/**
 * Parses one expression of LaTeX as people write answers: sums, products written or implied, fractions, roots, powers,
 * mixed numbers, common functions.
 * @param text as `normalizeAnswer` gives it
 * @returns undefined for anything else
 */
export function parseLatex(text: string): Expression | undefined {
  if (text === '' || text.length > MAX_LENGTH) return undefined
  const cursor = createLatexCursor(text)
  try {
    const expression = sum(cursor, { depth: 0, absolute: false })
    return cursor.done ? expression : undefined
  } catch (error) {
    if (error instanceof LatexError) return undefined
    throw error
  }
}

const apply = (name: FunctionName, ...args: Expression[]): Expression => ({ kind: 'apply', name, args })
const number = (value: number): Expression => ({ kind: 'number', value })

function sum(cursor: LatexCursor, place: Place): Expression {
  let left = product(cursor, place)
  for (;;) {
    if (cursor.take('+')) left = apply('add', left, product(cursor, place))
    else if (cursor.take('-')) left = apply('subtract', left, product(cursor, place))
    else return left
  }
}

function product(cursor: LatexCursor, place: Place): Expression {
  if (cursor.take('-')) return apply('negate', product(cursor, deeper(place)))
  if (cursor.take('+')) return product(cursor, deeper(place))
  let left = power(cursor, place)
  for (;;) {
    const sign = Object.keys(PRODUCTS).find((text) => cursor.take(text))
    if (sign !== undefined) left = apply(PRODUCTS[sign], left, signed(cursor, place))
    else if (startsFactor(cursor, place)) left = apply('multiply', left, power(cursor, place))
    else return left
  }
}

function signed(cursor: LatexCursor, place: Place): Expression {
  return cursor.take('-') ? apply('negate', power(cursor, place)) : power(cursor, place)
}

function startsFactor(cursor: LatexCursor, place: Place): boolean {
  const command = cursor.command()
  if (command !== undefined)
    return command === 'frac' || command === 'sqrt' || command === 'pi' || command === 'binom' || isName(command)
  if (cursor.sees('|')) return !place.absolute
  return [...'({[', ...LETTERS].some((c) => FACTOR.test(c) && cursor.sees(c))
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

function isName(command: string): boolean {
  return GREEK.has(command) || namedFunctions.has(command)
}

function power(cursor: LatexCursor, place: Place): Expression {
  let base = atom(cursor, place)
  while (cursor.take('!')) base = apply('factorial', base)
  return cursor.take('^') ? apply('power', base, exponent(cursor, place)) : base
}

function exponent(cursor: LatexCursor, place: Place): Expression {
  if (cursor.take('-')) return apply('negate', exponent(cursor, deeper(place)))
  return atom(cursor, place)
}

function atom(cursor: LatexCursor, place: Place): Expression {
  const digits = cursor.match(/\d+(?:\.\d+)?|\.\d+/y)
  if (digits !== undefined) return mixed(cursor, digits, place)
  for (const [open, close] of ['()', '[]', '{}']) if (cursor.take(open)) return closed(cursor, close, inside(place))
  if (!place.absolute && cursor.take('|')) return apply('abs', closed(cursor, '|', { ...inside(place), absolute: true }))
  const command = cursor.command()
  if (command !== undefined) return ofCommand(cursor, command, place)
  const letter = cursor.match(/[a-zA-Z](?:_(?:\{[a-zA-Z\d]+\}|[a-zA-Z\d]))?/y)
  if (letter !== undefined) return { kind: 'variable', name: letter.replace(/[{}]/g, '') }
  throw new LatexError()
}

/** 1\frac{4}{5} is a mixed number. */
function mixed(cursor: LatexCursor, digits: string, place: Place): Expression {
  const whole = number(Number(digits))
  if (digits.includes('.') || cursor.command() !== 'frac') return whole
  const fraction = atom(cursor, place)
  const isNumber = fraction.kind === 'apply' && fraction.args.every((arg) => arg.kind === 'number')
  return apply(isNumber ? 'add' : 'multiply', whole, fraction)
}

function ofCommand(cursor: LatexCursor, command: string, place: Place): Expression {
  cursor.take(`\\${command}`)
  if (command === 'frac') return apply('divide', argument(cursor, place), argument(cursor, place))
  if (command === 'binom') return apply('binom', argument(cursor, place), argument(cursor, place))
  if (command === 'pi') return number(Math.PI)
  if (command === 'sqrt') {
    if (!cursor.take('[')) return apply('sqrt', argument(cursor, place))
    const degree = closed(cursor, ']', inside(place))
    return apply('root', argument(cursor, place), degree)
  }
  if (GREEK.has(command)) return { kind: 'variable', name: `\\${command}` }
  if (namedFunctions.has(command)) return ofFunction(cursor, command as FunctionName, place)
  throw new LatexError()
}

/** \sin x, \sin^2 x, \sin(2x), \log_2 8. */
function ofFunction(cursor: LatexCursor, name: FunctionName, place: Place): Expression {
  const base = name === 'log' && cursor.take('_') ? argument(cursor, place) : undefined
  const raised = cursor.take('^') ? exponent(cursor, place) : undefined
  const bracketed = cursor.sees('(') || cursor.sees('{')
  let arg = bracketed ? atom(cursor, inside(place)) : power(cursor, inside(place))
  while (!bracketed && startsFactor(cursor, place) && !namedFunctions.has(cursor.command() ?? '')) {
    arg = apply('multiply', arg, power(cursor, place))
  }
  const value = base === undefined ? apply(name, arg) : apply('logBase', arg, base)
  return raised === undefined ? value : apply('power', value, raised)
}

/** What a command takes: a group in braces, or one digit, letter or command. */
function argument(cursor: LatexCursor, place: Place): Expression {
  const digit = cursor.match(/\d/y)
  return digit === undefined ? atom(cursor, inside(place)) : number(Number(digit))
}

function closed(cursor: LatexCursor, close: string, place: Place): Expression {
  const expression = sum(cursor, place)
  if (!cursor.take(close)) throw new LatexError()
  return expression
}

function deeper(place: Place): Place {
  if (place.depth === MAX_DEPTH) throw new LatexError()
  return { ...place, depth: place.depth + 1 }
}

function inside(place: Place): Place {
  return { ...deeper(place), absolute: false }
}
