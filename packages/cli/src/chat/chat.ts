import { DpllmError } from '@dpllm/core'
import type { CommandContext } from '../context.js'
import { Interrupted } from '../interrupts.js'
import { createLineReader } from './line-reader.js'
import type { ChatModel, ChatSession } from './session.js'
import { runSlashCommand } from './slash-commands.js'

/**
 * Talks until /bye, the end of the input, or a second Ctrl-C; the first one stops an answer. On a terminal errors are
 * said and the talk goes on; otherwise they end it.
 */
export async function chat(model: ChatModel, session: ChatSession, { io, interrupts }: CommandContext): Promise<void> {
  const { stdin, stdout, stderr } = io
  let answering: AbortController | undefined
  let warned = false
  const onInterrupt = () => {
    if (answering !== undefined) answering.abort(new Interrupted('the answer was stopped'))
    else if (warned) lines.end()
    else {
      warned = true
      stderr.write('\n(Ctrl-C again, or /bye, leaves)\n')
      lines.prompt()
    }
  }
  using lines = createLineReader(io, onInterrupt)
  using _ = interrupts.handle(onInterrupt)

  for (;;) {
    const line = await lines.next()
    interrupts.signal.throwIfAborted()
    if (line === undefined) return
    warned = false
    if (line.trim() === '') continue
    if (line.startsWith('/')) {
      const { leave, text, note } = runSlashCommand(line, session, model)
      if (leave) return
      if (text !== undefined) stdout.write(`${text}\n`)
      if (note !== undefined) stderr.write(`${note}\n`)
      continue
    }
    answering = new AbortController()
    try {
      await answer(model, session, line, AbortSignal.any([answering.signal, interrupts.signal]), (text) => stdout.write(text))
    } catch (error) {
      if (!stdin.isTTY || !DpllmError.isInstance(error)) throw error
      stderr.write(`dpllm: ${error.message}\n`)
    } finally {
      answering = undefined
    }
  }
}

/** Adds a question and its answer to the conversation; of a stopped answer, what there is of it. */
async function answer(
  model: ChatModel,
  session: ChatSession,
  question: string,
  signal: AbortSignal,
  write: (text: string) => void,
): Promise<void> {
  const messages = [...session.messages, { role: 'user', content: question }]
  let text = ''
  try {
    for await (const part of model.generate(messages, { ...session.sampling, ...session.precision, signal })) {
      text += part.text
      session.last = part
      write(part.text)
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
  }
  write('\n')
  if (text !== '') session.messages = [...messages, { role: 'assistant', content: text }]
}
