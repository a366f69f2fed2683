import { readRows } from '../data/read-rows.js'
import type { Row } from '../data/row.js'
import { drawExamples, exampleRows } from './few-shot.js'
import type { Grade, Likelihood, LikelihoodSample, Task, TextPair } from './task.js'

/** A question with choices, one of which is right. */
export interface Choices {
  /** One for each choice; the continuation without the space before it. */
  readonly pairs: readonly TextPair[]
  /** Index of the right one. */
  readonly gold: number
  /** What people call the choices. */
  readonly names: readonly string[]
}

/** What a task of choices is made of. */
export interface ChoiceTask {
  readonly name: string
  readonly description: string
  /** Whether log-likelihoods are also compared by the choice's length, as `acc_norm`. */
  readonly normalized: boolean
  choices(row: Row): Choices
}

/** A task that compares the log-likelihoods of choices. With examples, these are drawn from a file of the same form. */
export function multipleChoice({ name, description, normalized, choices }: ChoiceTask): Task {
  return {
    name,
    description,
    shots: 0,
    metrics: [{ name: 'acc', aggregate: 'mean' }, ...(normalized ? [{ name: 'acc_norm', aggregate: 'mean' } as const] : [])],
    runsPrograms: false,
    async load({ data, examples, shots = 0 }) {
      const rows = await readRows(data)
      const draw = drawExamples(await exampleRows(examples, shots), shots)
      return rows.map((row): LikelihoodSample => {
        const { pairs, gold, names } = choices(row)
        const before = draw()
          .map((example) => solved(choices(example)))
          .join('')
        return {
          kind: 'likelihood',
          id: `${row.number}`,
          target: names[gold],
          pairs: pairs.map(({ context, continuation }) => ({ context: before + context, continuation: ` ${continuation}` })),
          grade: (likelihoods) => gradeChoices(likelihoods, { pairs, gold, names }, normalized),
        }
      })
    },
  }
}

function solved({ pairs, gold }: Choices): string {
  return `${pairs[gold].context} ${pairs[gold].continuation}\n\n`
}

/** `acc` takes the likeliest choice, `acc_norm` the likeliest per character (Unicode code point); of equals the first. */
export function gradeChoices(likelihoods: readonly Likelihood[], { pairs, gold, names }: Choices, normalized: boolean): Grade {
  const sums = likelihoods.map(({ logLikelihood }) => logLikelihood)
  const perCharacter = sums.map((sum, i) => sum / [...pairs[i].continuation].length)
  const [best, bestNormalized] = [sums, perCharacter].map((values) => values.indexOf(Math.max(...values)))
  return {
    answer: names[normalized ? bestNormalized : best],
    scores: { acc: Number(best === gold), ...(normalized ? { acc_norm: Number(bestNormalized === gold) } : {}) },
  }
}
