import { escapeText } from '../escape.js'
import type { Cell, Table } from '../figure.js'

/** A table that scrolls in itself where it is too wide; its first column heads the rows. */
export function tableHtml({ columns, rows, note }: Table, name: string): string {
  const head = columns.map(({ title, numeric }) => `<th scope="col"${numeric ? ' class="number"' : ''}>${escapeText(title)}</th>`)
  const body = rows.map(
    (row) => `<tr>${row.map((cell, i) => cellHtml(cell, i === 0, columns[i]?.numeric ?? false)).join('')}</tr>`,
  )
  const table = `<table><thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`
  // In the order of tabs, so that keys can scroll it.
  const below = note === undefined ? '' : `\n<p class="table-note">${escapeText(note)}</p>`
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeText(`Numbers: ${name}`)}">${table}</div>${below}`
}

function cellHtml({ text, note, best }: Cell, heads: boolean, numeric: boolean): string {
  const classes = [...(numeric ? ['number'] : []), ...(best ? ['best'] : [])]
  const attributes = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`
  const content = `<span>${escapeText(text)}</span>${note === undefined ? '' : `<small>${escapeText(note)}</small>`}`
  return heads ? `<th scope="row"${attributes}>${content}</th>` : `<td${attributes}>${content}</td>`
}
