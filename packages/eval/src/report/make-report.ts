import type { SweepResult } from '../sweep/sweep-result.js'
import { seriesStyles } from './chart/series-style.js'
import type { Figure, Section } from './figure.js'
import { layerFigures } from './figures/layers.js'
import { perplexityFigures } from './figures/perplexity.js'
import { requestFigures } from './figures/request-bits.js'
import { speedFigures } from './figures/speed.js'
import { taskFigures } from './figures/tasks.js'
import { tokenFigures } from './figures/tokens.js'
import { type Highlight, highlights } from './highlights.js'
import { readMeasurements } from './measurements.js'

/** What a sweep found, ready to be drawn. Plain data. */
export interface Report {
  readonly title: string
  /** What was compared, in a line. */
  readonly subtitle: string
  readonly highlights: readonly Highlight[]
  readonly sections: readonly Section[]
  /** Said about the whole, such as that results are missing. */
  readonly notes: readonly string[]
}

export interface ReportOptions {
  /** Default: the models' names. */
  readonly title?: string | undefined
  /** Jobs of the sweep that have no result yet. */
  readonly missing?: number | undefined
}

/**
 * Makes the figures of a sweep's results: those that there is something to show for.
 * @throws FileFormatError for a result whose value is not what its command prints
 */
export function makeReport(results: readonly SweepResult[], { title, missing = 0 }: ReportOptions = {}): Report {
  const { perplexities, scores, latencies, requestBits } = readMeasurements(results)
  const styles = stylesOf(results)
  const sections: Section[] = [
    { id: 'quality', title: 'Quality', figures: perplexityFigures(perplexities, styles) },
    { id: 'tasks', title: 'Tasks', figures: taskFigures(scores, styles) },
    { id: 'speed', title: 'Speed', figures: speedFigures(latencies, perplexities, styles) },
    {
      id: 'bits',
      title: 'Where the bits go',
      figures: [...layerFigures(latencies), ...tokenFigures(latencies), ...requestFigures(requestBits, latencies, styles)],
    },
  ]
  const measured = results.filter(({ kind }) => kind !== 'calibration')
  const models = distinct(measured.map(({ model }) => model))
  const methods = distinct(measured.filter(({ method }) => method !== 'unquantized').map(({ label }) => label))
  const datasets = distinct(measured.map(({ dataset }) => dataset))
  const jobs = `${missing} of the sweep's ${missing + results.length} jobs ${missing === 1 ? 'has' : 'have'} no result yet`
  return {
    title: title ?? models.join(', '),
    subtitle: [count(methods, 'method'), count(datasets, 'dataset'), count(measured, 'measurement')].join(' · '),
    highlights: highlights(perplexities, latencies),
    sections: finish(sections, results),
    notes: missing > 0 ? [`${jobs}: what is shown here may change.`] : [],
  }
}

/** Known methods look the same everywhere; the first setting of one takes its looks. */
function stylesOf(results: readonly SweepResult[]) {
  const labels = new Map(results.map(({ label, method }) => [label, method]))
  const taken = new Set<string>()
  const names = [...labels].map(([label, method]) => {
    if (taken.has(method)) return { label, name: `${method}: ${label}` }
    taken.add(method)
    return { label, name: method }
  })
  const styles = seriesStyles(names.map(({ name }) => name))
  return new Map(names.map(({ label, name }) => [label, styles.get(name)!]))
}

/** Sections that show something, their figures with names of their own and the commands that made profiles. */
function finish(sections: readonly Section[], results: readonly SweepResult[]): Section[] {
  const calibrations = calibrationsOf(results)
  const used = new Set<string>()
  // Labels may differ in nothing that file names hold.
  const unique = (figure: Figure): Figure => {
    let id = figure.id
    for (let i = 2; used.has(id); i++) id = `${figure.id}-${i}`
    used.add(id)
    const makers = figure.commands.flatMap((command) => calibrations.get(command) ?? [])
    return { ...figure, id, commands: [...new Set([...makers, ...figure.commands])] }
  }
  return sections
    .filter(({ figures }) => figures.length > 0)
    .map((section) => ({ ...section, figures: section.figures.map(unique) }))
}

/** By the command of a measurement: that of the calibration that made its profile, if the sweep did. */
function calibrationsOf(results: readonly SweepResult[]): ReadonlyMap<string, string> {
  const setting = ({ model, tables, label, memoryBudget }: SweepResult) => JSON.stringify([model, tables, label, memoryBudget])
  const made = new Map(results.filter(({ kind }) => kind === 'calibration').map((one) => [setting(one), one.command]))
  return new Map(
    results.flatMap((one) => {
      const command = one.kind === 'calibration' ? undefined : made.get(setting(one))
      return command === undefined ? [] : [[one.command, command] as const]
    }),
  )
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)]
const count = (items: readonly unknown[], name: string): string => `${items.length} ${name}${items.length === 1 ? '' : 's'}`
