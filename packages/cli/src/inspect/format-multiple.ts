/** A multiple from its natural logarithm, with two digits: −0.7 → 0.50×. */
export function formatMultiple(logarithm: number): string {
  const value = Math.exp(logarithm)
  return `${value >= 10 ? Math.round(value) : value.toPrecision(2)}×`
}
