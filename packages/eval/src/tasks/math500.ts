import { readRows } from '../data/read-rows.js'
import { type Row, textOf } from '../data/row.js'
import { type Example, firstExamples, promptOf } from './few-shot.js'
import { equivalent } from './math/equivalent.js'
import { anyAnswer, finalAnswer, lastBoxed } from './math/extract-answer.js'
import type { GenerationSample, Grade, Task } from './task.js'

/** Hendrycks et al. (2021), the 500 problems of Lightman et al. (2023); asked as Lewkowycz et al. (2022) do; harness `minerva_math500`. */
export const math500: Task = {
  name: 'math500',
  description: 'MATH-500: competition mathematics; answers that are equal count, not texts',
  shots: 3,
  metrics: [
    { name: 'exact_match,strict', aggregate: 'mean' },
    { name: 'exact_match,flexible', aggregate: 'mean' },
  ],
  runsPrograms: false,
  async load({ data, examples, shots = math500.shots }) {
    const rows = await readRows(data)
    const examplesOf = await firstExamples(rows, examples, shots)
    return rows.map((row): GenerationSample => {
      const target = goldOf(row)
      return {
        kind: 'generation',
        id: `${row.number}`,
        prompt: promptOf(examplesOf(row).map(exampleOf), questionOf(row)),
        stop: ['Problem:', '</s>', '<|im_end|>'],
        maxTokens: 256,
        target,
        grade: (response) => gradeMath(response, target),
      }
    })
  },
}

function questionOf(row: Row): string {
  return `Problem:\n${textOf(row, 'problem')}\n\nSolution:`
}

/** With the sentence that ends Minerva's examples, where the solution does not have it already. */
function exampleOf(row: Row): Example {
  const solution = textOf(row, 'solution')
  const ending = `\nFinal Answer: The final answer is $${goldOf(row)}$. I hope it is correct.`
  return { question: questionOf(row), answer: solution.includes('Final Answer:') ? solution : solution + ending }
}

function goldOf(row: Row): string {
  return lastBoxed(textOf(row, 'solution')) ?? textOf(row, 'answer')
}

/** Strict: the sentence that the examples end with. Flexible: also a box, or what follows "answer is". */
export function gradeMath(response: string, target: string): Grade {
  const [strict, flexible] = [finalAnswer(response), anyAnswer(response)]
  return {
    answer: flexible,
    scores: {
      'exact_match,strict': Number(equivalent(strict, target)),
      'exact_match,flexible': Number(equivalent(flexible, target)),
    },
  }
}
