/** Reads a text of LaTeX from left to right; spaces are skipped. */
export interface LatexCursor {
  /** What comes next is this; it is passed over. */
  take(text: string): boolean
  /** What comes next is this; it is not passed over. */
  sees(text: string): boolean
  /** The name of the command that comes next, without its backslash; it is not passed over. */
  command(): string | undefined
  /** Passes over what matches the pattern (with the flag y). */
  match(pattern: RegExp): string | undefined
  readonly done: boolean
}

/** The text is not one that is understood. */
export class LatexError extends Error {}

export function createLatexCursor(text: string): LatexCursor {
  let at = 0
  const skipSpaces = () => {
    while (text[at] === ' ') at++
  }
  const sees = (wanted: string) => {
    skipSpaces()
    return text.startsWith(wanted, at)
  }
  const match = (pattern: RegExp) => {
    skipSpaces()
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  return {
    sees,
    match,
    take(wanted) {
      if (!sees(wanted)) return false
      at += wanted.length
      return true
    },
    command() {
      const before = at
      const found = match(/\\[a-zA-Z]+/y)?.slice(1)
      at = before
      return found
    },
    get done() {
      skipSpaces()
      return at === text.length
    },
  }
}
