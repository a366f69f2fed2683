import { mergeCommands } from '../commands.js'
import { figureInPage } from '../draw-figure.js'
import { escapeText } from '../escape.js'
import type { Figure, Section } from '../figure.js'
import type { Report } from '../make-report.js'
import { styles } from './styles.js'
import { tableHtml } from './table.js'
import { tokensHtml } from './tokens.js'

export interface PageOptions {
  /** What made the page, for a POSIX shell; shown at its end. */
  readonly command?: string | undefined
}

/**
 * A report as one HTML file: no script, nothing loaded. It is dark or light as its reader prefers, fits a phone and can be printed.
 * All texts are escaped, and the page's own policy (CSP) keeps what might get through from running or loading anything.
 */
export async function reportPage(report: Report, { command }: PageOptions = {}): Promise<string> {
  const { title, subtitle, sections, notes } = report
  const parts: string[] = []
  let number = 0
  for (const section of sections) parts.push(await sectionHtml(section, () => ++number))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${escapeText(`${title}: what each bit buys`)}</title>
<style>${styles}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">What each bit buys, and what it costs</p>
<h1>${escapeText(title)}</h1>
<p class="subtitle">${escapeText(subtitle)}</p>
${notes.map((note) => `<p class="notice">${escapeText(note)}</p>`).join('\n')}
${highlightsHtml(report)}
${sections.length < 2 ? '' : `<nav aria-label="Sections">${sections.map(({ id, title: name }) => `<a href="#${escapeText(id)}">${escapeText(name)}</a>`).join('')}</nav>`}
</header>
${parts.join('\n')}
<footer>
<p>Bits are effective bits: what weights of the quantized linears really took, in the mean over tokens, weighted by their sizes.</p>
${command === undefined ? '' : `<p>Made by</p><pre>${escapeText(command)}</pre>`}
</footer>
</main>
</body>
</html>
`
}

function highlightsHtml({ highlights }: Report): string {
  if (highlights.length === 0) return ''
  const entries = highlights.map(
    ({ name, value, note }) =>
      `<div><dt>${escapeText(name)}</dt><dd class="value">${escapeText(value)}</dd><dd class="note">${escapeText(note)}</dd></div>`,
  )
  return `<dl class="highlights">${entries.join('')}</dl>`
}

async function sectionHtml({ id, title, figures }: Section, next: () => number): Promise<string> {
  const parts: string[] = []
  for (const figure of figures) parts.push(await figureHtml(figure, next()))
  return `<section aria-labelledby="${escapeText(id)}">\n<h2 id="${escapeText(id)}">${escapeText(title)}</h2>\n${parts.join('\n')}\n</section>`
}

async function figureHtml(figure: Figure, number: number): Promise<string> {
  const { id, title, caption, drawing, table, commands } = figure
  const [wide, narrow] = [await figureInPage(figure, 'wide'), await figureInPage(figure, 'narrow')]
  return `<figure id="figure-${escapeText(id)}">
<figcaption><p class="eyebrow">Figure ${number}</p><h3>${escapeText(title)}</h3><p>${escapeText(caption)}</p></figcaption>
<div class="drawing"><div class="wide">${wide}</div><div class="narrow">${narrow}</div>${drawing.kind === 'tokens' ? tokensHtml(drawing) : ''}</div>
${tableHtml(table, title)}
${commandsHtml(commands)}
</figure>`
}

function commandsHtml(commands: readonly string[]): string {
  const merged = mergeCommands(commands)
  return `<details><summary>${merged.length === 1 ? 'The command' : 'The commands'} that made it</summary><pre>${escapeText(merged.join('\n'))}</pre></details>`
}
