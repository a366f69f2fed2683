import { UnsupportedError } from '@dpllm/core'
import type { Command } from 'commander'
import { chat } from '../chat/chat.js'
import { createSession } from '../chat/session.js'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addContextFlag, type ContextFlag, contextOptions } from '../options/context-length.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { addSamplingFlags, type SamplingFlags, samplingOptions } from '../options/sampling.js'

interface ChatFlags extends BackendFlags, PrecisionFlags, SamplingFlags, ContextFlag, LogFlags {
  readonly system?: string
}

/** `dpllm chat MODEL`: a conversation, typed or through a pipe. */
export function addChat(program: Command, context: CommandContext): void {
  const command = program
    .command('chat')
    .description('talk with a chat model; /help lists what can be set meanwhile')
    .argument('<model>', 'folder of a model with a chat template')
    .option('--system <text>', 'what the model is told before the conversation')
  addLogFlags(addBackendFlags(addContextFlag(addPrecisionFlags(addSamplingFlags(command, 0.8))))).action(
    async (directory: string, flags: ChatFlags) => {
      const load = { ...backendOptions(flags), ...loadOptions(flags), ...contextOptions(flags) }
      await using model = await openModel(directory, load, flags, context)
      if (model.chatTemplate === undefined) {
        throw new UnsupportedError(`${directory}: the model has no chat template; dpllm run continues texts`)
      }
      const session = createSession(
        flags.system,
        { ...samplingOptions(flags), feedback: flags.feedback },
        precisionRequest(flags),
      )
      model.precision(session.precision)
      if (context.io.stdin.isTTY && !flags.quiet) context.io.stderr.write('/help lists the commands, /bye leaves\n')
      await chat(model, session, context)
    },
  )
}
