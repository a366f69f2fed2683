import type { Figure } from '../figure.js'
import { percentChange, slug, withError } from '../format.js'
import { figureGroups, type Group, titled } from '../group.js'
import type { PerplexityMeasurement } from '../measurements.js'
import { relativeLoss } from '../relative-loss.js'
import { bitsAxis, methodPanels, methodTable, type Styles, type TableReading } from './by-method.js'

const PLACES = 3

/** Perplexity by bits; how much of it is lost; KL divergence where it was measured. */
export function perplexityFigures(measurements: readonly PerplexityMeasurement[], styles: Styles): Figure[] {
  return figureGroups(measurements).flatMap((group) =>
    group.items.length === 0
      ? []
      : [perplexityFigure(group, styles), ...lossFigure(group, styles), ...divergenceFigure(group, styles)],
  )
}

function perplexityFigure(group: Group<PerplexityMeasurement>, styles: Styles): Figure {
  const { items, baseline } = group
  const reading: TableReading<PerplexityMeasurement> = {
    value: ({ perplexity }) => perplexity,
    range: ({ perplexity, standardError }) => perplexityRange(perplexity, standardError),
    bits: ({ effectiveBits }) => effectiveBits,
    text: ({ perplexity, standardError }) => withError(perplexity, standardError, PLACES),
    best: 'least',
  }
  const unquantized = baseline && withError(baseline.perplexity, baseline.standardError, PLACES)
  const rule = baseline && { y: baseline.perplexity, text: `unquantized, ${baseline.perplexity.toFixed(2)}` }
  return {
    id: idOf('perplexity', group),
    title: titled('Perplexity against bits', group),
    caption: `Perplexity of ${group.model} on ${group.dataset}, by the bits that its weights really took in the mean. ${protocolOf(items[0])} Bars are one standard error of the text: all methods find the same passages hard, so differences between methods are far more certain than the bars suggest.`,
    drawing: {
      kind: 'lines',
      x: bitsAxis,
      y: { title: 'perplexity, lower is better' },
      panels: methodPanels(items, reading, styles, rule),
    },
    table: methodTable(items, reading, unquantized),
    commands: commandsOf(group),
  }
}

function lossFigure(group: Group<PerplexityMeasurement>, styles: Styles): Figure[] {
  const { baseline } = group
  if (baseline === undefined) return []
  const items = group.items.flatMap((item) => {
    const change = relativeLoss(baseline, item)
    return change === undefined ? [] : [{ ...item, change }]
  })
  if (items.length === 0) return []
  const reading: TableReading<(typeof items)[number]> = {
    value: ({ change }) => change.mean,
    range: ({ change: { mean, standardError } }) => [mean - standardError, mean + standardError],
    bits: ({ effectiveBits }) => effectiveBits,
    text: ({ change }) => `${percentChange(change.mean, 2).replace(' %', '')} ± ${(100 * change.standardError).toFixed(2)} %`,
    best: 'least',
  }
  const rule = { y: 0, text: 'unquantized' }
  return [
    {
      id: idOf('loss', group),
      title: titled('What quantization loses', group),
      caption: `How much higher the perplexity is than the unquantized model's, compared chunk by chunk of the same text; bars are one standard error of that comparison.`,
      drawing: {
        kind: 'lines',
        x: bitsAxis,
        y: { title: 'perplexity above unquantized, lower is better', format: '+~%' },
        panels: methodPanels(items, reading, styles, rule),
      },
      table: methodTable(items, reading),
      commands: commandsOf(group),
    },
  ]
}

function divergenceFigure(group: Group<PerplexityMeasurement>, styles: Styles): Figure[] {
  const items = group.items.flatMap((item) => (item.klDivergence === undefined ? [] : [{ ...item, kl: item.klDivergence }]))
  if (items.length === 0) return []
  const reading: TableReading<(typeof items)[number]> = {
    value: ({ kl }) => kl.mean,
    range: ({ kl: { mean, standardError } }) => [mean - standardError, mean + standardError],
    bits: ({ effectiveBits }) => effectiveBits,
    text: ({ kl, topAgreement }) =>
      `${withError(kl.mean, kl.standardError, 4)}${topAgreement ? `, ${(100 * topAgreement.mean).toFixed(1)} %` : ''}`,
    best: 'least',
  }
  return [
    {
      id: idOf('divergence', group),
      title: titled('Divergence from the unquantized model', group),
      caption: `KL divergence of the predictions of ${group.model} on ${group.dataset} from the unquantized model's, in nats per token; in the table also how often both find the same token likeliest.`,
      drawing: {
        kind: 'lines',
        x: bitsAxis,
        y: { title: 'KL divergence in nats, lower is better' },
        panels: methodPanels(items, reading, styles),
      },
      table: methodTable(items, reading),
      commands: [...new Set(items.map(({ command }) => command))],
    },
  ]
}

/** One standard error of the mean loss either way, whose exponential the perplexity is. */
export function perplexityRange(perplexity: number, error: number | undefined): readonly [number, number] | undefined {
  if (error === undefined) return undefined
  const factor = Math.exp(error / perplexity)
  return [perplexity / factor, perplexity * factor]
}

const protocolOf = ({ protocol, contextLength, tokens }: PerplexityMeasurement): string =>
  `Protocol “${protocol}”, chunks of ${contextLength} tokens, ${tokens.toLocaleString('en')} of them scored.`

const commandsOf = ({ baseline, items }: Group<PerplexityMeasurement>): string[] =>
  [...(baseline ? [baseline] : []), ...items].map(({ command }) => command)

export const idOf = (
  kind: string,
  { model, dataset, memoryBudget }: Pick<Group<unknown>, 'model' | 'dataset' | 'memoryBudget'>,
): string =>
  [kind, slug(model), slug(dataset), ...(memoryBudget === null ? [] : [String(memoryBudget)])]
    .filter((part) => part !== '')
    .join('-')
