/**
 * The points that no other is better than in both ways.
 * @param x more is better
 * @param y less is better
 * @returns in the order of x, ascending; of equal points the first
 */
export function paretoFront<T>(points: readonly T[], x: (point: T) => number, y: (point: T) => number): T[] {
  const order = [...points].sort((a, b) => x(b) - x(a) || y(a) - y(b))
  const front: T[] = []
  for (const point of order) {
    if (front.length === 0 || y(point) < y(front[front.length - 1])) front.push(point)
  }
  return front.reverse()
}
