import { readText } from '@dpllm/core/node'
import { UsageError } from './context.js'
import { type Io, readAll, withoutLastNewline } from './io.js'

/**
 * The prompt of a command: from `--prompt`, an argument, a file (`-` for stdin), or else from stdin.
 * @throws UsageError if there are several, or none and stdin is a terminal
 */
export async function promptFrom(
  sources: { prompt: string | undefined; argument: string | undefined; file: string | undefined },
  { stdin }: Io,
): Promise<string> {
  const { prompt, argument, file } = sources
  if ([prompt, argument, file].filter((source) => source !== undefined).length > 1) {
    throw new UsageError('give the prompt once: as an argument, with --prompt, or with --file')
  }
  const text = prompt ?? argument
  if (text !== undefined) return text
  if (file !== undefined && file !== '-') return withoutLastNewline(await readText(file))
  if (file === undefined && stdin.isTTY) throw new UsageError('a prompt is missing (--prompt TEXT, --file FILE, or on stdin)')
  return readAll(stdin)
}
