import { InvalidArgumentError } from '@dpllm/core'
import { readRows } from '../data/read-rows.js'
import type { Row } from '../data/row.js'
import { createPythonRandom } from './python-random.js'

/** lm-evaluation-harness's seed for drawing examples. */
const SEED = 1234

/** An example: a question and its answer, as they stand in a prompt. */
export interface Example {
  readonly question: string
  readonly answer: string
}

/**
 * Draws examples for one question after another, as lm-evaluation-harness's default sampler does: anew for each, from one
 * stream of random numbers.
 * @throws InvalidArgumentError if there are fewer than `shots`
 */
export function drawExamples(rows: readonly Row[], shots: number): () => readonly Row[] {
  if (rows.length < shots) throw new InvalidArgumentError('examples', `at least ${shots} rows`, rows.length)
  const random = createPythonRandom(SEED)
  return () => random.sample(rows.length, shots).map((i) => rows[i])
}

/**
 * The rows of the file of examples.
 * @throws InvalidArgumentError if examples are wanted and there is no file
 */
export async function exampleRows(file: string | undefined, shots: number): Promise<Row[]> {
  if (shots === 0) return []
  if (file === undefined)
    throw new InvalidArgumentError('examples', `a file to take the ${shots} examples before each question from`, 'none')
  return await readRows(file)
}

/**
 * The rows to ask about and those to take the first `shots` as examples from. Without a file of examples they are the data's
 * own, and no row is its own example.
 */
export async function firstExamples(
  rows: readonly Row[],
  file: string | undefined,
  shots: number,
): Promise<(row: Row) => readonly Row[]> {
  const source = file === undefined ? rows : await readRows(file)
  const others = (row: Row) => source.filter((other) => other !== row).slice(0, shots)
  if (rows.some((row) => others(row).length < shots))
    throw new InvalidArgumentError('examples', `at least ${shots} rows besides the question's own`, source.length)
  return others
}

/** Examples, each followed by an empty line, and the question. */
export function promptOf(examples: readonly Example[], question: string, between = ' '): string {
  return examples.map((example) => `${example.question}${between}${example.answer}\n\n`).join('') + question
}
