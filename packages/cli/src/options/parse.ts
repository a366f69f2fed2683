import { InvalidArgumentError } from 'commander'

/** Parses flags' values; commander turns the errors into its message and exit code 2. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const wanted =
    most === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Expected ${wanted}.`)
    return value
  }
}

export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** Comma-separated values: `512,1024`. */
export function list<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((part) => parse(part.trim()))
}

/** A flag that may be given several times. */
export function repeated(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text]
}

/** `3-8` or `4`. */
export function bitRange(text: string): { least: number; most: number } {
  const [, least, most = least] = /^([1-8])(?:-([1-8]))?$/.exec(text) ?? []
  if (least === undefined || least > most) throw new InvalidArgumentError('Expected a range of bits like 3-8, or one number.')
  return { least: Number(least), most: Number(most) }
}

/** A whole number of bits, `dynamic` or `static`. */
export function precision(text: string): number | 'dynamic' | 'static' {
  if (text === 'dynamic' || text === 'static') return text
  if (!/^[1-8]$/.test(text)) throw new InvalidArgumentError('Expected a whole number of bits, dynamic, or static.')
  return Number(text)
}
