import { shellCommand, writeReport } from '@dpllm/eval'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { createProgressBar } from '../output/progress.js'

interface ReportFlags {
  readonly output: string
  readonly title?: string
  readonly svg?: string
  readonly png?: string
  readonly csv?: string
  readonly json?: string
  readonly quiet?: boolean
}

/** `dpllm report RESULTS -o report.html`: what a sweep found, as a page. */
export function addReport(program: Command, context: CommandContext): void {
  const command = program
    .command('report')
    .description("make a page of a sweep's results: quality, tasks and speed by bits, and where the bits go")
    .argument('<results>', 'folder of the results of dpllm sweep, finished or not')
    .requiredOption('-o, --output <file>', 'the page: one HTML file that needs nothing else')
    .option('--title <text>', "its title (default: the models' names)")
    .option('--svg <folder>', 'also each figure as SVG')
    .option('--png <folder>', 'also each figure as PNG')
    .option('--csv <file>', 'also all numbers as CSV')
    .option('--json <file>', 'also its figures, with points, tables and commands, as JSON')
  addQuietFlag(command).action(async (results: string, flags: ReportFlags) => {
    const { io, interrupts } = context
    const { output: html, title, svg, png, csv, json } = flags
    using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
    const files = { html, svg, png, csv, json }
    const options = { title, command: commandOf(results, flags), signal: interrupts.signal, onProgress: bar.update }
    const { sections } = await writeReport(results, files, options)
    bar[Symbol.dispose]()
    const count = sections.reduce((sum, { figures }) => sum + figures.length, 0)
    io.stdout.write(`${count} ${count === 1 ? 'figure' : 'figures'} in ${html}\n`)
  })
}

/** What makes the same page again. */
function commandOf(results: string, { output, title }: ReportFlags): string {
  return shellCommand(['report', results, '-o', output, ...(title === undefined ? [] : ['--title', title])])
}
