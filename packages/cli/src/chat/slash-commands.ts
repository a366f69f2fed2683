import { DpllmError } from '@dpllm/core'
import type { PrecisionRequest } from '@dpllm/runtime'
import { precision as parsePrecision } from '../options/parse.js'
import { describeAnswer } from '../output/answer.js'
import { type ChatModel, type ChatSession, opening } from './session.js'

const HELP = `/bye                    leave
/clear                  begin a new conversation
/set temp VALUE         temperature; 0 always takes the most likely token
/set target-bits BITS   average bits, decided per layer and token (3.5)
/set precision BITS     the same whole number of bits for every layer; all: everything that is loaded
/stats                  bits and speed of the last answer
/help                   this list`

/** What a command leads to. */
export interface SlashResult {
  readonly leave?: boolean
  /** What was asked for. */
  readonly text?: string
  /** What was done, or why not. */
  readonly note?: string
}

/** Runs a line that begins with a slash. */
export function runSlashCommand(line: string, session: ChatSession, model: ChatModel): SlashResult {
  const [command, ...words] = line.trim().split(/\s+/)
  switch (command) {
    case '/bye':
      return { leave: true }
    case '/clear':
      session.messages = opening(session.system)
      session.last = undefined
      return { note: 'a new conversation' }
    case '/set':
      return { note: set(words, session, model) }
    case '/stats':
      return { text: session.last ? describeAnswer(session.last) : 'no answer yet' }
    case '/help':
      return { text: HELP }
    default:
      return { note: `${command} is not known; /help lists the commands` }
  }
}

function set([name, value, ...more]: readonly string[], session: ChatSession, model: ChatModel): string {
  if (value === undefined || more.length > 0) return '/set takes a name and a value; /help lists them'
  const number = Number(value)
  switch (name) {
    case 'temp':
      if (!(number >= 0 && number < Number.POSITIVE_INFINITY)) return `temp: expected a number of at least 0, found ${value}`
      session.sampling = { ...session.sampling, temperature: number }
      return `temp ${number}`
    case 'target-bits':
      if (!Number.isFinite(number)) return `target-bits: expected a number, found ${value}`
      return setPrecision(
        { ...session.precision, precision: undefined, targetBits: number },
        `target-bits ${number}`,
        session,
        model,
      )
    case 'precision':
      return setPrecision(precisionOf(value, session), `precision ${value}`, session, model)
    default:
      return `${name} cannot be set; /help lists what can`
  }
}

function precisionOf(value: string, { precision }: ChatSession): PrecisionRequest | undefined {
  if (value === 'all') return {}
  try {
    const parsed = parsePrecision(value)
    return typeof parsed === 'number' ? { precision: parsed } : { ...precision, precision: parsed }
  } catch {
    return undefined
  }
}

function setPrecision(request: PrecisionRequest | undefined, done: string, session: ChatSession, model: ChatModel): string {
  if (request === undefined) return 'precision: expected a whole number of bits, dynamic, static, or all'
  try {
    model.precision(request)
  } catch (error) {
    if (DpllmError.isInstance(error)) return error.message
    throw error
  }
  session.precision = request
  return done
}
