import type { Figure } from '../figure.js'
import { placesFor, slug, withError } from '../format.js'
import { figureGroups, type Group, groupBy, isUnquantized } from '../group.js'
import type { ScoreMeasurement } from '../measurements.js'
import { bitsAxis, methodPanels, methodTable, type Styles, type TableReading } from './by-method.js'
import { idOf, perplexityRange } from './perplexity.js'

/** Scores by bits, a figure for each score of a task. */
export function taskFigures(measurements: readonly ScoreMeasurement[], styles: Styles): Figure[] {
  return figureGroups(measurements).flatMap((group) => {
    const baselines = measurements.filter(
      (one) => isUnquantized(one) && one.model === group.model && one.dataset === group.dataset,
    )
    return [...groupBy(group.items, ({ metric }) => metric)].map(([metric, items]) =>
      taskFigure(
        group,
        items,
        baselines.find((one) => one.metric === metric),
        styles,
      ),
    )
  })
}

function taskFigure(
  group: Group<ScoreMeasurement>,
  items: readonly ScoreMeasurement[],
  baseline: ScoreMeasurement | undefined,
  styles: Styles,
): Figure {
  const [{ metric }] = items
  const { text, short, ...score } = metric === 'perplexity' ? perplexityScore : partScore
  const reading: TableReading<ScoreMeasurement> = {
    ...score,
    text,
    value: ({ value }) => value,
    bits: ({ effectiveBits }) => effectiveBits,
  }
  const rule = baseline && { y: baseline.value, text: `unquantized, ${short(baseline)}` }
  const counts = [...new Set(items.map(({ samples }) => samples))].sort((a, b) => a - b)
  const better = score.best === 'most' ? 'higher' : 'lower'
  return {
    id: `${idOf('task', group)}-${slug(metric)}`,
    title: [group.dataset, metric, ...group.details].join(', '),
    caption: `Score of ${group.model} on ${counts.join(' to ')} questions of ${group.dataset}, by the bits that its weights took in the mean. Bars are one standard error over the questions.`,
    drawing: {
      kind: 'lines',
      x: bitsAxis,
      y: { title: `${metric}, ${better} is better`, format: score.format, zero: score.zero },
      panels: methodPanels(items, reading, styles, rule),
    },
    table: methodTable(items, reading, baseline && text(baseline)),
    commands: [...(baseline ? [baseline] : []), ...items].map(({ command }) => command),
  }
}

/** How a kind of score is read and written. */
interface ScoreKind extends Pick<TableReading<ScoreMeasurement>, 'range' | 'text' | 'best'> {
  /** Without its error. */
  readonly short: (score: ScoreMeasurement) => string
  /** A d3-format for the axis. */
  readonly format: string | undefined
  /** Whether the axis begins at zero. */
  readonly zero: boolean
}

/** A part of the questions. */
const partScore: ScoreKind = {
  range: ({ value, standardError }) => [Math.max(0, value - standardError), Math.min(1, value + standardError)],
  text: ({ value, standardError }) => `${withError(100 * value, 100 * standardError, 1)} %`,
  short: ({ value }) => `${(100 * value).toFixed(1)} %`,
  best: 'most',
  format: '~%',
  zero: true,
}

const perplexityScore: ScoreKind = {
  range: ({ value, standardError }) => perplexityRange(value, standardError),
  text: ({ value, standardError }) => withError(value, standardError, placesFor(value)),
  short: ({ value }) => value.toFixed(Math.min(placesFor(value), 2)),
  best: 'least',
  format: undefined,
  zero: false,
}
