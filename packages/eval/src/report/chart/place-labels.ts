/**
 * Moves labels apart that want to stand at nearly the same height, by as little as possible (least squares: pooling neighbours
 * that would overlap, as isotonic regression does).
 * @param wanted heights in pixels
 * @param gap least distance of two labels
 * @param height of the room; labels leave it only if they do not fit
 * @returns the height of each, in the order given
 */
export function placeLabels(wanted: readonly number[], gap: number, height: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b])
  // With i gaps taken off the i-th, "at least a gap apart" becomes "not falling".
  const pools: { sum: number; count: number }[] = []
  order.forEach((label, i) => {
    pools.push({ sum: wanted[label] - i * gap, count: 1 })
    while (pools.length > 1 && mean(pools[pools.length - 2]) > mean(pools[pools.length - 1])) {
      const last = pools.pop()!
      pools[pools.length - 1].sum += last.sum
      pools[pools.length - 1].count += last.count
    }
  })
  const most = Math.max(0, height - gap * (wanted.length - 1))
  const shifts = pools.flatMap((pool) => new Array<number>(pool.count).fill(Math.min(Math.max(mean(pool), 0), most)))
  const placed = new Array<number>(wanted.length)
  order.forEach((label, i) => {
    placed[label] = shifts[i] + i * gap
  })
  return placed
}

const mean = ({ sum, count }: { sum: number; count: number }): number => sum / count
