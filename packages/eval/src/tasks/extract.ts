/** What a filter gives where it finds nothing. */
export const INVALID = '[invalid]'

/**
 * The match of a pattern that lm-evaluation-harness's `regex` filter takes: its first group that is not empty (the whole
 * match if there are no groups), without white space around it.
 * @param pattern with the flag g
 * @param which the first match, or the last
 */
export function extract(text: string, pattern: RegExp, which: 'first' | 'last' = 'first'): string {
  const match = [...text.matchAll(pattern)].at(which === 'first' ? 0 : -1)
  if (match === undefined) return INVALID
  const [whole, ...groups] = match
  return (groups.length === 0 ? whole : (groups.find((group) => group) ?? '')).trim()
}
