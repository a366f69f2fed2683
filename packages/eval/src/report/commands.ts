const flags = new Set(['--target-bits', '--precision'])
/** A word as a POSIX shell reads it, quotes included. */
const word = /(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*")+/g

/**
 * Commands that differ in their bits alone become one loop of a POSIX shell, so that a figure's can be read at a glance, and
 * run. Others stay as they are, in their order; doubles are left out.
 */
export function mergeCommands(commands: readonly string[]): string[] {
  const merged = new Map<string, { command: string; values: string[] }>()
  for (const command of new Set(commands)) {
    const { template, value } = split(command)
    const found = merged.get(template)
    if (found === undefined) merged.set(template, { command, values: value === undefined ? [] : [value] })
    else if (value !== undefined) found.values.push(value)
  }
  return [...merged].map(([template, { command, values }]) =>
    values.length < 2 ? command : `for bits in ${values.join(' ')}; do\n  ${template}\ndone`,
  )
}

/** A command with $bits in the place of its bits, if it has any once, written plainly. */
function split(command: string): { template: string; value?: string } {
  const words = command.match(word) ?? []
  const places = words.flatMap((text, i) => (flags.has(text) && /^[\d.]+$/.test(words[i + 1] ?? '') ? [i + 1] : []))
  if (places.length !== 1 || words.join(' ') !== command || command.includes('$bits')) return { template: command }
  const template = words.map((text, i) => (i === places[0] ? '$bits' : text)).join(' ')
  return { template, value: words[places[0]] }
}
