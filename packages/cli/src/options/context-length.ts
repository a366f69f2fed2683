import { type Command, Option } from 'commander'
import { integer } from './parse.js'

export interface ContextFlag {
  readonly ctx?: number
}

export function addContextFlag(command: Command): Command {
  return command.addOption(
    new Option('-c, --ctx <tokens>', 'context length (default: what the model was made for)').argParser(integer(1)),
  )
}

/** What it means to `loadModel`. */
export function contextOptions({ ctx }: ContextFlag): { contextLength: number | undefined } {
  return { contextLength: ctx }
}
