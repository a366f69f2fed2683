import { InvalidArgumentError, UnsupportedError } from '@dpllm/core'
import { readRows } from '../data/read-rows.js'
import { indexOf, type Row, textOf, textsOf } from '../data/row.js'
import { type Example, promptOf } from './few-shot.js'
import type { GenerationSample, Grade, RunProgram, Task } from './task.js'

/** Task ids of the dataset's prompt split (1 … 10) and test split, in a file that holds all of them. */
const LAST_PROMPT = 10
const LAST_TEST = 510
/** The examples are those of ids 2, 3 and 4, as in the paper. */
const FIRST_EXAMPLE = 2
const METRIC = 'pass@1'

/** Austin et al., "Program synthesis with large language models" (2021); harness task `mbpp`. */
export const mbpp: Task = {
  name: 'mbpp',
  description: 'short Python programs, which are run: needs python3 and leave to run them',
  shots: 3,
  metrics: [{ name: METRIC, aggregate: 'mean' }],
  runsPrograms: true,
  async load({ data, examples, shots = mbpp.shots, runProgram }) {
    if (runProgram === undefined)
      throw new UnsupportedError('mbpp runs programs that a model has written: that has to be allowed (--allow-code)')
    const all = await readRows(data)
    const isTest = (row: Row) => idOf(row) > LAST_PROMPT && idOf(row) <= LAST_TEST
    const rows = all.some(isTest) ? all.filter(isTest) : all
    const solved = examplesFrom(examples === undefined ? all : await readRows(examples), shots)
    return rows.map((row): GenerationSample => {
      const tests = testsOf(row)
      return {
        kind: 'generation',
        id: `${idOf(row)}`,
        prompt: promptOf(solved, questionOf(row), ''),
        stop: ['[DONE]'],
        maxTokens: 256,
        target: tests.join('\n'),
        grade: (response) => gradeMbpp(response, tests, runProgram),
      }
    })
  },
}

function examplesFrom(rows: readonly Row[], shots: number): Example[] {
  const found = rows.filter((row) => idOf(row) >= FIRST_EXAMPLE && idOf(row) <= LAST_PROMPT).slice(0, shots)
  if (found.length < shots)
    throw new InvalidArgumentError(
      'examples',
      `rows of task_id ${FIRST_EXAMPLE} and on (the prompt split), ${shots} of them`,
      found.length,
    )
  return found.map((row) => ({ question: questionOf(row), answer: `${textOf(row, 'code')}\n[DONE]` }))
}

function idOf(row: Row): number {
  return indexOf(row, 'task_id', 1e6)
}

function testsOf(row: Row): readonly string[] {
  const tests = textsOf(row, 'test_list')
  if (tests.length < 3) throw new InvalidArgumentError('data', `three tests in row ${row.number}`, tests.length)
  return tests.slice(0, 3)
}

function questionOf(row: Row): string {
  const task = `You are an expert Python programmer, and here is your task: ${textOf(row, 'text')}`
  return `${task} Your code should pass these tests:\n\n${testsOf(row).join('\n')}\n[BEGIN]\n`
}

/** Whether the program runs, and the tests after it. */
export async function gradeMbpp(response: string, tests: readonly string[], run: RunProgram): Promise<Grade> {
  const code = programOf(response)
  const result = await run(`${code}\n${tests.join('\n')}`)
  return { answer: `${result}`, scores: { [METRIC]: Number(result === 'passed') } }
}

/** The first fenced block if the response has a fence (one stands open before it), else all of it. */
export function programOf(response: string): string {
  const block = /```(?:\w+)?\n?(.*?)\n?```/s.exec(`\`\`\`${response}`)
  return `from __future__ import annotations\n${block === null ? response : block[1]}`
}
