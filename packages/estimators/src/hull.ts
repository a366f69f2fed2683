/**
 * The vertices of the lower convex hull of the points (j, values[j]), from the first point down to the (first) lowest: the
 * points that minimise values[j] + λ · j for some λ > 0. Values fall from vertex to vertex, and by less per index each time.
 * @param values finite, at least one
 * @returns indices, ascending from 0
 */
export function descendingHull(values: ArrayLike<number>): number[] {
  const hull = [0]
  const fall = (from: number, to: number) => (values[from] - values[to]) / (to - from)
  for (let j = 1; j < values.length; j++) {
    if (!(values[j] < values[hull[hull.length - 1]])) continue
    // A vertex after which values fall as fast as before it, or faster, is not below the line past it.
    while (hull.length > 1) {
      const [before, last] = hull.slice(-2)
      if (fall(before, last) > fall(last, j)) break
      hull.pop()
    }
    hull.push(j)
  }
  return hull
}
