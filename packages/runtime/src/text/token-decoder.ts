/** Turns tokens into text as they come. */
export interface TokenDecoder {
  /** The text that has become certain with this token: a character is held back until all of its bytes are there. */
  push(id: number): string
  /** The rest: U+FFFD for a character whose bytes are not complete. The decoder is as new afterwards. */
  end(): string
}

/**
 * @param bytesOf the bytes of a token
 * @param leadingSpaces how many spaces to leave out at the beginning
 * @param after bytes that the text follows, which are not given again
 */
export function createTokenDecoder(
  bytesOf: (id: number) => Uint8Array,
  leadingSpaces: number,
  after: Uint8Array = new Uint8Array(0),
): TokenDecoder {
  // ignoreBOM keeps U+FEFF in the text: what the model says is given as it is.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let spaces = leadingSpaces
  const withoutLeadingSpaces = (text: string) => {
    let start = 0
    while (start < spaces && text[start] === ' ') start++
    if (text.length > start) spaces = 0
    else spaces -= start
    return text.slice(start)
  }
  withoutLeadingSpaces(utf8.decode(after, { stream: true }))
  return {
    push: (id) => withoutLeadingSpaces(utf8.decode(bytesOf(id), { stream: true })),
    end() {
      const rest = withoutLeadingSpaces(utf8.decode())
      spaces = leadingSpaces
      return rest
    },
  }
}
