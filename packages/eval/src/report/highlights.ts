import { bits, digits, percentChange } from './format.js'
import { figureGroups, type Group, isUnquantized } from './group.js'
import type { LatencyMeasurement, PerplexityMeasurement } from './measurements.js'
import { relativeLoss } from './relative-loss.js'

/** A number that people should remember. */
export interface Highlight {
  readonly name: string
  readonly value: string
  /** What it is of. */
  readonly note: string
}

/** Up to here, in effective bits: half the size of 8-bit weights. */
const BITS = 4
/** Feedback holds bits at their target but for this much. */
const ROUNDING = 0.02

/** Of the first model and text: the unquantized perplexity, the best and the uniform one at 4 bits, and the best one's speed. */
export function highlights(
  perplexities: readonly PerplexityMeasurement[],
  latencies: readonly LatencyMeasurement[],
): Highlight[] {
  const [group] = figureGroups(perplexities)
  if (group === undefined) return []
  const { baseline, items, model, dataset } = group
  const small = items.filter(({ effectiveBits }) => effectiveBits <= BITS + ROUNDING)
  const best = small.length === 0 ? undefined : small.reduce((a, b) => (b.perplexity < a.perplexity ? b : a))
  const uniform = items.filter(({ method, effectiveBits }) => method === 'uniform' && Math.abs(effectiveBits - 4) < 0.01)
  const plain = uniform.find(({ tables }) => tables === best?.tables) ?? uniform[0]
  const speed = latencies.find((item) => best !== undefined && item.model === model && sameSetting(item, best))
  const slow = latencies.find((item) => item.model === model && isUnquantized(item))
  return [
    ...(baseline
      ? [{ name: 'unquantized perplexity', value: baseline.perplexity.toFixed(3), note: `${model} on ${dataset}` }]
      : []),
    ...(best ? [quality(`best up to ${bits(BITS)} bits`, best, group)] : []),
    ...(plain && plain !== best ? [quality('uniform 4 bits', plain, group)] : []),
    ...(speed
      ? [
          {
            name: `speed at ${bits(speed.targetBits ?? speed.effectiveBits.mean)} bits`,
            value: `${digits(speed.tokensPerSecond.mean, 3)} tokens/s`,
            note: speedNote(speed, slow),
          },
        ]
      : []),
  ]
}

function quality(name: string, item: PerplexityMeasurement, { baseline }: Group<PerplexityMeasurement>): Highlight {
  const loss = baseline && relativeLoss(baseline, item)
  const what = item.tables === null ? item.label : `${item.label}, ${item.tables}`
  if (loss === undefined) return { name, value: item.perplexity.toFixed(3), note: `perplexity; ${what}` }
  return { name, value: percentChange(loss.mean), note: `perplexity, ± ${(100 * loss.standardError).toFixed(1)} %; ${what}` }
}

function speedNote(speed: LatencyMeasurement, slow: LatencyMeasurement | undefined): string {
  if (slow === undefined) return speed.label
  return `${digits(speed.tokensPerSecond.mean / slow.tokensPerSecond.mean, 2)} times the unquantized model's; ${speed.label}`
}

function sameSetting(a: LatencyMeasurement, b: PerplexityMeasurement): boolean {
  return (['tables', 'label', 'memoryBudget', 'targetBits'] as const).every((key) => a[key] === b[key])
}
