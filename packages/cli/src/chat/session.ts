import type { ChatMessage, GenerateOptions, GeneratePart, Model, PrecisionRequest } from '@dpllm/runtime'

/** What a chat needs of a model. */
export type ChatModel = Pick<Model, 'generate' | 'precision'>

/** A conversation and how its next answer is made. */
export interface ChatSession {
  readonly system: string | undefined
  messages: ChatMessage[]
  sampling: GenerateOptions
  precision: PrecisionRequest
  /** Last part of the last answer. */
  last: GeneratePart | undefined
}

export function createSession(system: string | undefined, sampling: GenerateOptions, precision: PrecisionRequest): ChatSession {
  return { system, messages: opening(system), sampling, precision, last: undefined }
}

/** The messages that every conversation begins with. */
export function opening(system: string | undefined): ChatMessage[] {
  return system === undefined ? [] : [{ role: 'system', content: system }]
}
