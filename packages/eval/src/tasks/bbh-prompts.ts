import { FileFormatError } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import type { Example } from './few-shot.js'

/** What stands before each question of a subtask. */
export interface BbhPrompt {
  /** What the subtask is about. */
  readonly description: string
  readonly examples: readonly Example[]
}

const STEPS = "A: Let's think step by step."

/** A question of the subtask, as it stands in a prompt. */
export function bbhQuestion(input: string): string {
  return `Q: ${input}\n${STEPS}\n`
}

/**
 * Reads a file of BIG-bench Hard's `cot-prompts`: a warning, a line of dashes, the description, then questions with answers in
 * steps, an empty line between two.
 * @throws FileFormatError if it is another file
 */
export async function readBbhPrompt(file: string): Promise<BbhPrompt> {
  const text = (await readText(file)).replaceAll('\r\n', '\n')
  const body = text.slice(text.indexOf('-----\n') + '-----\n'.length).trimEnd()
  const [description, ...questions] = body.split(/\n\n(?=Q: )/)
  const examples = questions.map((part) => {
    const [question, answer] = part.slice('Q: '.length).split(`\n${STEPS}`)
    // One subtask's file goes on in the same line; the harness asks and answers all in the same way.
    return { question: bbhQuestion(question), answer: (answer ?? '').trimStart() }
  })
  if (!text.includes('-----\n') || examples.length === 0 || examples.some(({ answer }) => answer === ''))
    throw new FileFormatError(file, 'expected a chain-of-thought prompt: a line of dashes, a description, then "Q: …" and "A: …"')
  return { description, examples }
}
