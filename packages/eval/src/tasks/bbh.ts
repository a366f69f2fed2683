import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError } from '@dpllm/core'
import { exists } from '@dpllm/core/node'
import { readRows } from '../data/read-rows.js'
import { textOf } from '../data/row.js'
import { bbhQuestion, readBbhPrompt } from './bbh-prompts.js'
import { extract } from './extract.js'
import { promptOf } from './few-shot.js'
import type { GenerationSample, Grade, Task } from './task.js'

const METRIC = 'exact_match'

/** Suzgun et al., "Challenging BIG-bench tasks and whether chain-of-thought can solve them" (2022); harness `bbh_cot_fewshot`, version 4. */
export const bbh: Task = {
  name: 'bbh',
  description: 'BIG-bench Hard: 27 subtasks, 3 examples that think step by step; --data is its folder, or one subtask of it',
  shots: 3,
  metrics: [{ name: METRIC, aggregate: 'mean' }],
  runsPrograms: false,
  async load({ data, examples, shots = bbh.shots }) {
    const subtasks = await Promise.all((await subtaskFiles(data)).map((file) => loadSubtask(file, examples, shots)))
    return takingTurns(subtasks)
  },
}

/** The subtasks of a folder, of its folder `bbh`, or one file. */
async function subtaskFiles(data: string): Promise<string[]> {
  if (!(await exists(data)) || !(await stat(data)).isDirectory()) return [data]
  const folder = (await exists(path.join(data, 'bbh'))) ? path.join(data, 'bbh') : data
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  if (names.length === 0) throw new FileFormatError(data, 'expected subtasks: files NAME.json')
  return names.map((name) => path.join(folder, name))
}

async function loadSubtask(file: string, promptFolder: string | undefined, shots: number): Promise<GenerationSample[]> {
  const group = path.basename(file, '.json')
  const rows = await readRows(file)
  const prompts = path.join(promptFolder ?? path.join(path.dirname(file), '..', 'cot-prompts'), `${group}.txt`)
  const { description, examples } = await readBbhPrompt(prompts)
  if (examples.length < shots) throw new InvalidArgumentError('shots', `at most ${examples.length}, as ${prompts} has`, shots)
  return rows.map((row) => {
    const target = textOf(row, 'target')
    return {
      kind: 'generation',
      id: `${group}/${row.number}`,
      group,
      prompt: `${description}\n\n${promptOf(examples.slice(0, shots), bbhQuestion(textOf(row, 'input')), '')}`,
      stop: ['</s>', 'Q', '\n\n'],
      maxTokens: 1024,
      target,
      grade: (response) => gradeBbh(response, target),
    }
  })
}

/** The text between "the answer is " and the last character of its line, which is its full stop. */
export function gradeBbh(response: string, target: string): Grade {
  const answer = extract(response, /(?<=the answer is )[^\n]*(?=[^\n])/g)
  return { answer, scores: { [METRIC]: Number(answer === target) } }
}

/** The first of every list, then the second …, so that a limited run sees all subtasks. */
function takingTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat()
}
