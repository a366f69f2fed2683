/** A generated token. */
export interface BitToken {
  readonly text: string
  /** Mean bits of the step that gave it. */
  readonly bits: number
}

/** The bits of a generated text. */
export interface TokenBits {
  readonly kind: 'tokens'
  /** What it goes on from. */
  readonly prompt: string
  readonly tokens: readonly BitToken[]
  readonly targetBits: number | null
}

/** A token's text on one line: line ends and tabs as signs that can be seen. */
export const visibleText = (text: string): string => text.replace(/\r?\n/g, '⏎').replace(/\t/g, '→')
