/** Most names that are looked at, so that a hostile file cannot make an error message slow. */
const MAX_COMPARED = 10_000

/** Up to three of `names` that share at least half of their length with `name`, counted from both ends; best first. */
export function nearNames(name: string, names: Iterable<string>): string[] {
  const found: { name: string; score: number }[] = []
  let compared = 0
  for (const other of names) {
    if (++compared > MAX_COMPARED) break
    const score = sharedLength(name, other) / Math.max(name.length, other.length)
    if (score >= 0.5) found.push({ name: other, score })
  }
  return found
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map((f) => f.name)
}

/** Length of the common beginning plus that of the common end. */
function sharedLength(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  let begin = 0
  while (begin < shorter && a[begin] === b[begin]) begin++
  let end = 0
  while (end < shorter - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  return begin + end
}
