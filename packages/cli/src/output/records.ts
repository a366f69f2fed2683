import type { BenchFormat } from './bench-table.js'
import { csv, markdownTable } from './table.js'

/** Writes records of one kind in a format of `dpllm bench`; their keys are the titles. Numbers stand right. */
export function formatRecords(records: readonly Readonly<Record<string, string | number>>[], format: BenchFormat): string {
  const keys = Object.keys(records[0] ?? {})
  switch (format) {
    case 'md': {
      const columns = keys.map((title) => ({ title, right: typeof records[0][title] === 'number' }))
      return markdownTable(
        columns,
        records.map((record) => keys.map((key) => String(record[key]))),
      )
    }
    case 'json':
      return `${JSON.stringify(records, null, 2)}\n`
    case 'jsonl':
      return records.map((record) => `${JSON.stringify(record)}\n`).join('')
    case 'csv':
      return csv([keys, ...records.map((record) => keys.map((key) => record[key]))])
  }
}
