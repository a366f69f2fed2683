/**
 * f′(0) from differences (f(h) − f(−h)) / 2h at h and 2h, whose errors of order h² cancel (Richardson extrapolation); what
 * is left is of order h⁴ and the rounding of f over h.
 */
export function centralDifference(f: (h: number) => number, h = 2 ** -10): number {
  const slope = (h: number) => (f(h) - f(-h)) / (2 * h)
  return (4 * slope(h) - slope(2 * h)) / 3
}
