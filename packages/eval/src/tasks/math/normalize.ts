/** Words that say what an answer counts or measures (Lewkowycz et al. 2022, App. D, and a few more). */
const UNITS = [
  'square',
  'cubic',
  'ways',
  'integers',
  'dollars',
  'mph',
  'inches',
  'inch',
  'ft',
  'hours',
  'km',
  'units',
  'points',
  'feet',
  'minutes',
  'seconds',
  'digits',
  'cents',
  'degrees',
  'cm',
  'gm',
  'pounds',
  'meters',
  'meals',
  'edges',
  'students',
  'multiples',
  'percent',
]
const UNIT = `(?:${UNITS.join('|')})(?:\\^\\{?[23]\\}?)?`
const TEXT = '\\\\(?:text|textbf|textrm|mbox|mathrm|mathbf|operatorname)\\s*\\{([^{}]*)\\}'

/**
 * An answer in LaTeX without what does not change its value: dollar signs, spacing, sizes of brackets, units, degrees,
 * thousands' separators, a full stop. Spaces go too, but for those that end a command.
 */
export function normalizeAnswer(answer: string): string {
  let text = answer.trim()
  const inner = /\$([^$]+)\$/.exec(text.replaceAll('\\$', ''))
  if (inner) text = inner[1]
  text = text
    .replaceAll('\\$', '')
    .replaceAll('$', '')
    .replace(/\\(?:left|right|big|Big|bigg|Bigg|displaystyle)(?![a-zA-Z])/g, '')
    .replace(/,\s*\\!\s*(?=\d{3})/g, '')
    .replaceAll('{,}', '')
    .replace(/(?<!\\)\\[!,;: ]|~|\\quad(?![a-zA-Z])|\\qquad(?![a-zA-Z])/g, ' ')
    .replace(/\\[dt]frac(?![a-zA-Z])/g, '\\frac')
    .replace(/\^\s*\{?\s*\\circ\s*\}?|°|\\degree(?![a-zA-Z])/g, '')
    .replace(/\\?%/g, '')
    .replace(/[−–]/g, '-')
    .replaceAll('π', '\\pi')
    .trim()
    .replace(/[.,;]$/, '')
  text = withoutUnits(text)
  // 1 1/2 is a mixed number, and would be 11/2 without its space.
  text = text.replace(/(^|[^\d.])(\d+)\s+(\d+)\s*\/\s*(\d+)/g, '$1($2+$3/$4)')
  text = text.replace(/(\\[a-zA-Z]+)?\s+([a-zA-Z]?)/g, (_, command = '', letter) => command + (command && letter && ' ') + letter)
  return /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text) ? text.replaceAll(',', '') : text
}

/** Text behind a value is its unit; text that is the whole answer is kept without its command. */
function withoutUnits(text: string): string {
  const bare = text
    .replace(new RegExp(`(?<=\\S)\\s*(?:${TEXT})(?:\\s*\\^\\s*\\{?[23]\\}?)?$`), '')
    .replace(/,?\s*\\(?:text|mbox)\{\s*(?:and|or)\s*\}\s*/g, ',')
    .replace(new RegExp(TEXT, 'g'), '$1')
  const withoutWords = bare.replace(new RegExp(`(?<=[\\d})])\\s*(?:${UNIT}\\s*)+$`, 'i'), '')
  return withoutWords.replace(/(?<=\d)\s*,?\s+and\s+(?=-?\d)/g, ',')
}
