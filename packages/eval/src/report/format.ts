/** A number with so many significant digits, without an exponent for usual sizes. */
export function digits(value: number, count: number): string {
  const text = value.toPrecision(count)
  return /e/.test(text) ? (Math.abs(value) >= 1 && Math.abs(value) < 1e15 ? Math.round(value).toString() : text) : text
}

/** 4.176 ± 0.045 */
export function withError(value: number, error: number | undefined, places: number): string {
  return error === undefined ? minus(value.toFixed(places)) : `${minus(value.toFixed(places))} ± ${error.toFixed(places)}`
}

/** +1.8 %, with a real minus sign below zero. */
export function percentChange(part: number, places = 1): string {
  const text = (100 * part).toFixed(places)
  return `${Number(text) > 0 ? '+' : ''}${minus(text)} %`
}

export const minus = (text: string): string => text.replace(/^-/, '−')

/** Bits as people write them: up to two places, no zeros at the end. */
export const bits = (value: number): string => String(Number(value.toFixed(2)))

/** Part of a file name: small letters, digits, dots and dashes. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60)
}

/** Places after the point that show so large a number with about four digits. */
export const placesFor = (value: number): number => Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(value), 1))))
