import type { SweepResult } from '@dpllm/eval'
import { markdownTable } from './table.js'

/** A row for each result, but for calibrations. */
export function sweepTable(results: readonly SweepResult[]): string {
  const left = ['model', 'method', 'measured'].map((title) => ({ title }))
  const right = ['budget', 'target', 'effective bits', 'result'].map((title) => ({ title, right: true }))
  const shown = results.filter(({ kind }) => kind !== 'calibration')
  return markdownTable(
    [...left, ...right],
    shown.map((result) => {
      const { model, tables, label, kind, dataset, memoryBudget, targetBits } = result
      const { bits, figure } = headline(result)
      return [
        tables === null ? model : `${model} (${tables})`,
        label,
        `${kind}, ${dataset}`,
        memoryBudget === null ? '–' : String(memoryBudget),
        targetBits === null ? '–' : String(targetBits),
        typeof bits === 'number' ? bits.toFixed(3) : '–',
        figure,
      ]
    }),
  )
}

/** What people look for first in what each command prints. */
function headline({ kind, value }: SweepResult): { bits: unknown; figure: string } {
  const number = (of: unknown, digits: number) => (typeof of === 'number' ? of.toFixed(digits) : '–')
  switch (kind) {
    case 'task': {
      const [first] = value.scores as { metric: string; value: number }[]
      return { bits: value.effectiveBits, figure: `${first.metric} ${number(first.value, 4)}` }
    }
    case 'bits':
      return { bits: value.mean, figure: `± ${number(value.standardDeviation, 4)}` }
    case 'latency': {
      const [target] = value.targets as { effectiveBits: { mean: number }; tokensPerSecond: { mean: number } }[]
      return { bits: target.effectiveBits.mean, figure: `${number(target.tokensPerSecond.mean, 1)} tokens/s` }
    }
    default:
      return { bits: value.effectiveBits, figure: `perplexity ${number(value.perplexity, 4)}` }
  }
}
