/** Elements of a row with weights, as the objective of clustering sees them. */
export interface WeightedValues {
  readonly values: ArrayLike<number>
  readonly weights: ArrayLike<number>
}

/** Σ w (x − weighted mean)² of the elements with the given indices. */
export function squaredError({ values, weights }: WeightedValues, members: readonly number[]): number {
  let weight = 0
  let moment = 0
  for (const i of members) {
    weight += weights[i]
    moment += weights[i] * values[i]
  }
  if (weight === 0) return 0
  let sum = 0
  for (const i of members) sum += weights[i] * (values[i] - moment / weight) ** 2
  return sum
}

/** Σ over clusters of the squared error, from each element's cluster. */
export function errorOfCodes(row: WeightedValues, codes: ArrayLike<number>): number {
  const clusters = new Map<number, number[]>()
  for (let i = 0; i < codes.length; i++) clusters.set(codes[i], [...(clusters.get(codes[i]) ?? []), i])
  return [...clusters.values()].reduce((sum, members) => sum + squaredError(row, members), 0)
}

/** The least error of any assignment of the elements to `clusters` clusters, by trying all clusters^n of them. */
export function bruteForceError(row: WeightedValues, clusters: number): number {
  const n = row.values.length
  const codes = new Uint8Array(n)
  let best = Number.POSITIVE_INFINITY
  for (let k = 0; k < clusters ** n; k++) {
    let rest = k
    for (let i = 0; i < n; i++) {
      codes[i] = rest % clusters
      rest = Math.floor(rest / clusters)
    }
    best = Math.min(best, errorOfCodes(row, codes))
  }
  return best
}

/** The least error of any cut of the sorted elements into at most `clusters` ranges (an optimal clustering is one). */
export function bestRangesError(row: WeightedValues, clusters: number): number {
  const order = Array.from(row.values, (_, i) => i).sort((a, b) => row.values[a] - row.values[b])
  const search = (from: number, left: number): number => {
    if (from === order.length) return 0
    if (left === 1) return squaredError(row, order.slice(from))
    let best = Number.POSITIVE_INFINITY
    for (let to = from + 1; to <= order.length; to++) {
      best = Math.min(best, squaredError(row, order.slice(from, to)) + search(to, left - 1))
    }
    return best
  }
  return search(0, clusters)
}

/** Error after Lloyd's iterations from quantiles: what common k-means code reaches. */
export function lloydError(row: WeightedValues, clusters: number, iterations = 50): number {
  const { values, weights } = row
  const sorted = Array.from(values).sort((a, b) => a - b)
  let centroids = Array.from({ length: clusters }, (_, j) => sorted[Math.floor(((j + 0.5) / clusters) * sorted.length)])
  const codes = new Uint8Array(values.length)
  for (let round = 0; round < iterations; round++) {
    const weight = new Float64Array(clusters)
    const moment = new Float64Array(clusters)
    for (let i = 0; i < values.length; i++) {
      let nearest = 0
      for (let j = 1; j < clusters; j++) {
        if (Math.abs(values[i] - centroids[j]) < Math.abs(values[i] - centroids[nearest])) nearest = j
      }
      codes[i] = nearest
      weight[nearest] += weights[i]
      moment[nearest] += weights[i] * values[i]
    }
    centroids = centroids.map((c, j) => (weight[j] > 0 ? moment[j] / weight[j] : c))
  }
  return errorOfCodes(row, codes)
}
