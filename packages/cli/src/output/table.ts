/** A column of a table. */
export interface Column {
  readonly title: string
  /** Numbers stand right. */
  readonly right?: boolean
}

/** A Markdown table whose source is aligned, so that it reads well on a terminal too. Ends with a newline. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = columns.map(({ title }, i) => Math.max(3, title.length, ...cells.map((row) => row[i].length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (columns[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |\n`
  const rule = `| ${columns.map(({ right }, i) => (right ? `${'-'.repeat(widths[i] - 1)}:` : '-'.repeat(widths[i]))).join(' | ')} |\n`
  return line(columns.map(({ title }) => title)) + rule + cells.map(line).join('')
}

/** Comma-separated values (RFC 4180): fields with commas, quotes or line ends are quoted. */
export function csv(rows: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number) =>
    /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)
  return rows.map((row) => `${row.map(field).join(',')}\n`).join('')
}
