/**
 * Replaces values[begin … end) by the nearest ascending ones in the sense of least squares: where neighbours are out of
 * order, runs of them become their mean (pool adjacent violators; Ayer et al. 1955).
 * @returns whether anything changed
 */
export function makeAscending(values: Float64Array, begin = 0, end = values.length): boolean {
  let ascends = true
  for (let i = begin + 1; i < end; i++) if (values[i] < values[i - 1]) ascends = false
  if (ascends) return false

  const blocks: { mean: number; count: number }[] = []
  for (let i = begin; i < end; i++) {
    let block = { mean: values[i], count: 1 }
    for (let before = blocks.at(-1); before !== undefined && before.mean > block.mean; before = blocks.at(-1)) {
      const count = before.count + block.count
      block = { mean: (before.mean * before.count + block.mean * block.count) / count, count }
      blocks.pop()
    }
    blocks.push(block)
  }
  let i = begin
  for (const { mean, count } of blocks) {
    values.fill(mean, i, i + count)
    i += count
  }
  return true
}
