import { InvalidArgumentError, isJsonObject } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import { integer } from './parse.js'

/** Flags of commands that answer many prompts. */
export interface PromptFlags {
  readonly prompts: string
  readonly requests: number
  readonly promptTokens: number
}

export function addPromptFlags(command: Command): Command {
  return command
    .requiredOption('--prompts <file>', 'one prompt on each line; of JSON lines their "prompt" or "text"')
    .addOption(new Option('--requests <count>', 'only the first so many prompts').argParser(integer(1)).default(100))
    .addOption(new Option('--prompt-tokens <count>', 'only the first so many tokens of each').argParser(integer(1)).default(64))
}

/** @throws FileFormatError; InvalidArgumentError if there is none */
export async function readPrompts({ prompts: file, requests }: PromptFlags): Promise<string[]> {
  const prompts = (await readText(file))
    .split('\n')
    .map(promptOf)
    .filter((prompt) => prompt !== '')
  if (prompts.length === 0) throw new InvalidArgumentError('prompts', 'a file with a prompt on a line', 'none')
  return prompts.slice(0, requests)
}

function promptOf(line: string): string {
  const trimmed = line.trim()
  if (!trimmed.startsWith('{')) return trimmed
  try {
    const value: unknown = JSON.parse(trimmed)
    const prompt = isJsonObject(value) ? (value.prompt ?? value.text) : undefined
    return typeof prompt === 'string' ? prompt.trim() : trimmed
  } catch {
    return trimmed
  }
}
