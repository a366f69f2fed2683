import path from 'node:path'
import { DpllmError, FileFormatError, InvalidArgumentError, isJsonObject, UnsupportedError } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import { Template } from '@huggingface/jinja'
import { orMissing, readOptionalJson } from './optional-json.js'

/** Longest template: the longest in use have some 30 thousand characters. */
const MAX_TEMPLATE_LENGTH = 2 ** 20

/** One message of a chat. Templates may read more fields than these two (`tool_calls`, `name`). */
export interface ChatMessage {
  /** `system`, `user` or `assistant`; `tool` where the template knows it. */
  readonly role: string
  readonly content: string
  readonly [field: string]: unknown
}

/** A model's Jinja template, which makes a prompt of messages. */
export interface ChatTemplate {
  /** Where it was found, for messages. */
  readonly file: string
  readonly source: string
}

export interface RenderChatOptions {
  /** End with the beginning of the assistant's next message. Default true. */
  readonly addGenerationPrompt?: boolean | undefined
  readonly bosToken?: string | undefined
  readonly eosToken?: string | undefined
  /** More variables for the template: `tools`, `enable_thinking`, `date_string`. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Finds the chat template of a model folder: `chat_template.jinja`, `chat_template.json`, or `chat_template` of
 * `tokenizer_config.json`, which is one template or a list of named ones.
 * @param name which of several; default "default"
 * @returns undefined if the model has none (of that name)
 * @throws FileFormatError
 */
export async function loadChatTemplate(directory: string, name = 'default'): Promise<ChatTemplate | undefined> {
  const file = path.join(directory, 'chat_template.jinja')
  const source = name === 'default' ? await orMissing(readText(file, { maxBytes: MAX_TEMPLATE_LENGTH })) : undefined
  if (source !== undefined) return { file, source }
  for (const holder of ['chat_template.json', 'tokenizer_config.json']) {
    const file = path.join(directory, holder)
    const source = templateNamed((await readOptionalJson(file))?.chat_template, name, file)
    if (source !== undefined) return { file, source }
  }
  return undefined
}

function templateNamed(value: unknown, name: string, file: string): string | undefined {
  const item = 'chat_template'
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') value = [{ name: 'default', template: value }]
  if (!Array.isArray(value)) throw new FileFormatError(file, 'expected a template or a list of named templates', { item })
  for (const entry of value as unknown[]) {
    if (!isJsonObject(entry) || typeof entry.name !== 'string' || typeof entry.template !== 'string') {
      throw new FileFormatError(file, 'expected {"name", "template"} in the list', { item })
    }
    if (entry.template.length > MAX_TEMPLATE_LENGTH) {
      throw new FileFormatError(file, `has ${entry.template.length} characters, at most ${MAX_TEMPLATE_LENGTH} are read`, {
        item,
      })
    }
    if (entry.name === name) return entry.template
  }
  return undefined
}

/**
 * The prompt for a chat. It holds the special tokens as text: encode it with `addSpecialTokens: false`.
 * @throws UnsupportedError if there is no template; InvalidArgumentError if the template refuses the messages;
 *   FileFormatError if it fails
 */
export function renderChat(
  template: ChatTemplate | undefined,
  messages: readonly ChatMessage[],
  options: RenderChatOptions = {},
): string {
  if (template === undefined) {
    throw new UnsupportedError(
      "the model has no chat template: give the prompt as text, or put its family's template into its folder as chat_template.jinja",
    )
  }
  checkMessages(messages)
  const { addGenerationPrompt = true, bosToken = '', eosToken = '', variables } = options
  const refuse = (reason: unknown) => {
    throw new InvalidArgumentError(
      'messages',
      `messages that the model's chat template accepts (it says: ${reason})`,
      roles(messages),
    )
  }
  try {
    const parsed = new Template(template.source)
    // The library's own raise_exception cannot be told from its errors; a template may set it, a caller may not.
    parsed.parsed.body.unshift(...new Template('{% set raise_exception = refuse_messages %}').parsed.body)
    return parsed.render({
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token: bosToken,
      eos_token: eosToken,
      refuse_messages: refuse,
    })
  } catch (cause) {
    if (DpllmError.isInstance(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new FileFormatError(template.file, `the template fails: ${reason}`, { item: 'chat_template', cause })
  }
}

function checkMessages(messages: readonly ChatMessage[]): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new InvalidArgumentError('messages', 'at least one message', messages)
  messages.forEach((message: ChatMessage, i) => {
    for (const field of ['role', 'content'] as const) {
      if (typeof message?.[field] !== 'string')
        throw new InvalidArgumentError(`messages[${i}].${field}`, 'a string', message?.[field])
    }
  })
}

function roles(messages: readonly ChatMessage[]): string {
  return messages.map((message) => message.role).join(', ')
}
