/**
 * The value of a key, made if it is not there. Of more than `limit` values the one that was not asked for the longest is
 * forgotten: keys come from requests, so that there is no end of them.
 */
export function remember<T>(known: Map<string, T>, key: string, limit: number, make: () => T): T {
  const value = known.get(key) ?? make()
  // Asked for last, so behind all others.
  known.delete(key)
  known.set(key, value)
  for (const oldest of known.keys()) {
    if (known.size <= limit) break
    known.delete(oldest)
  }
  return value
}
