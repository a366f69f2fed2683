const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it can stand in HTML and SVG, between tags and in quoted attributes. Characters that XML does not know become �. */
export function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => entities[character])
}

/**
 * Text without what XML 1.0 cannot hold (section 2.2): control characters but tab and line ends, halves of characters; and
 * without directions that would turn around the text behind it.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu, '\ufffd')
}
