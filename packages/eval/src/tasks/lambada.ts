import { readRows } from '../data/read-rows.js'
import { textOf } from '../data/row.js'
import type { Task } from './task.js'

/** Paperno et al., "The LAMBADA dataset" (2016); harness task `lambada_openai`. */
export const lambada: Task = {
  name: 'lambada',
  description: 'the last word of a passage: perplexity, and whether it is the likeliest',
  shots: 0,
  metrics: [
    { name: 'perplexity', aggregate: 'perplexity' },
    { name: 'acc', aggregate: 'mean' },
  ],
  runsPrograms: false,
  async load({ data }) {
    return (await readRows(data)).map((row) => {
      const text = textOf(row, 'text')
      const at = Math.max(text.lastIndexOf(' '), 0)
      const [context, target] = [text.slice(0, at), text.slice(at).trimStart()]
      return {
        kind: 'likelihood',
        id: `${row.number}`,
        target,
        pairs: [{ context, continuation: ` ${target}` }],
        grade: ([{ logLikelihood, greedy }]) => ({
          answer: greedy ? target : '',
          scores: { perplexity: logLikelihood, acc: Number(greedy) },
        }),
      }
    })
  },
}
