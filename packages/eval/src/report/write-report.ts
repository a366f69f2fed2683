import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { writeFileAtomic } from '@dpllm/core/node'
import { readSweepResults } from '../sweep/read-sweep-results.js'
import { reportCsv } from './csv.js'
import { figureSvg } from './draw-figure.js'
import { makeReport, type Report } from './make-report.js'
import { reportPage } from './page/page.js'
import { figurePng } from './png.js'

/** Where the parts of a report go; what is left out is not written. */
export interface ReportFiles {
  /** The page. */
  readonly html: string
  /** Folder of an SVG for each figure. */
  readonly svg?: string | undefined
  /** Folder of a PNG for each figure. */
  readonly png?: string | undefined
  /** All numbers. */
  readonly csv?: string | undefined
  /** The report's figures as data: texts, points, tables, commands. */
  readonly json?: string | undefined
}

export interface WriteReportOptions {
  readonly title?: string | undefined
  /** What to say that made the report, for a POSIX shell. */
  readonly command?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Makes the report of a sweep's results, finished or not. Equal results make equal bytes.
 * @param folder the sweep's (`readSweepResults`)
 * @throws FileFormatError for results that are none; InvalidArgumentError where there is nothing to show yet; UnsupportedError for pictures on a system without fonts
 */
export async function writeReport(folder: string, files: ReportFiles, options: WriteReportOptions = {}): Promise<Report> {
  const { title, command, signal, onProgress } = options
  const { results, missing } = await readSweepResults(folder)
  const report = makeReport(results, { title, missing: missing.length })
  const figures = report.sections.flatMap((section) => section.figures)
  if (figures.length === 0) throw new InvalidArgumentError('results', 'at least one measurement', `none in ${folder}`)
  for (const directory of [files.svg, files.png]) if (directory !== undefined) await mkdir(directory, { recursive: true })
  if (files.svg !== undefined || files.png !== undefined) {
    for (const [i, figure] of figures.entries()) {
      signal?.throwIfAborted()
      const svg = await figureSvg(figure)
      if (files.svg !== undefined) await writeFileAtomic(path.join(files.svg, `${figure.id}.svg`), `${svg}\n`)
      if (files.png !== undefined) await writeFileAtomic(path.join(files.png, `${figure.id}.png`), await figurePng(svg))
      onProgress?.({ stage: 'figures', done: i + 1, total: figures.length, unit: 'figures' })
    }
  }
  if (files.csv !== undefined) await writeFileAtomic(files.csv, reportCsv(results))
  if (files.json !== undefined) await writeFileAtomic(files.json, `${JSON.stringify(report)}\n`)
  signal?.throwIfAborted()
  await writeFileAtomic(files.html, await reportPage(report, { command }))
  return report
}
