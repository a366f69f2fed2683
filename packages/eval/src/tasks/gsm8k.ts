import path from 'node:path'
import { exists } from '@dpllm/core/node'
import { readRows } from '../data/read-rows.js'
import { type Row, textOf } from '../data/row.js'
import { extract } from './extract.js'
import { drawExamples, type Example, exampleRows, promptOf } from './few-shot.js'
import type { GenerationSample, Grade, Task } from './task.js'

/** Cobbe et al., "Training verifiers to solve math word problems" (2021); harness task `gsm8k`, version 3. */
export const gsm8k: Task = {
  name: 'gsm8k',
  description: 'grade school mathematics in words, 5 examples from the training set',
  shots: 5,
  metrics: [
    { name: 'exact_match,strict', aggregate: 'mean' },
    { name: 'exact_match,flexible', aggregate: 'mean' },
  ],
  runsPrograms: false,
  async load({ data, examples, shots = gsm8k.shots }) {
    const rows = await readRows(data)
    const draw = drawExamples(await exampleRows(examples ?? (await trainingFile(data)), shots), shots)
    return rows.map((row): GenerationSample => {
      const { question, answer } = exampleOf(row)
      return {
        kind: 'generation',
        id: `${row.number}`,
        prompt: promptOf(draw().map(exampleOf), question),
        stop: ['Question:', '</s>', '<|im_end|>'],
        maxTokens: 256,
        target: answer,
        grade: (response) => gradeGsm8k(response, answer),
      }
    })
  },
}

/** The file train.jsonl or train.parquet … beside the test set. */
async function trainingFile(data: string): Promise<string | undefined> {
  const file = path.join(path.dirname(data), `train${path.extname(data)}`)
  return (await exists(file)) ? file : undefined
}

function exampleOf(row: Row): Example {
  return { question: `Question: ${textOf(row, 'question')}\nAnswer:`, answer: textOf(row, 'answer') }
}

/**
 * Strict: the number after `####`, as the examples give it. Flexible: the last number of the response.
 * @param target the dataset's answer, its reasoning included
 */
export function gradeGsm8k(response: string, target: string): Grade {
  const gold = comparable(target)
  const strict = extract(response, /#### (-?[0-9.,]+)/g)
  const flexible = extract(response, /(-?[$0-9.,]{2,})|(-?[0-9]+)/g, 'last')
  return {
    answer: strict === '[invalid]' ? flexible : strict,
    scores: {
      'exact_match,strict': Number(comparable(strict) === gold),
      'exact_match,flexible': Number(comparable(flexible) === gold),
    },
  }
}

/** Without separators, currency, reasoning and a full stop at the end; in small letters. */
function comparable(answer: string): string {
  return answer
    .replaceAll(',', '')
    .replaceAll('$', '')
    .replace(/^.*#### /s, '')
    .replace(/\.$/, '')
    .toLowerCase()
}
