/** The first windows that together have at least `tokens` tokens; all if they have fewer. */
export function firstWindows(windows: readonly Uint32Array[], tokens: number): readonly Uint32Array[] {
  let [count, sum] = [0, 0]
  while (count < windows.length && sum < tokens) sum += windows[count++].length
  return windows.slice(0, count)
}

/** Tokens of all windows together. */
export function tokensOf(windows: readonly Uint32Array[]): number {
  return windows.reduce((sum, window) => sum + window.length, 0)
}
