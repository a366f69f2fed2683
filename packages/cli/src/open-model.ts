import { type LoadOptions, loadModel, type Model, profileTargets } from '@dpllm/runtime'
import type { CommandContext } from './context.js'
import type { LogFlags } from './options/log.js'
import { formatBytes, formatCount } from './output/format.js'
import { createProgressBar } from './output/progress.js'

/** Loads a model under a progress bar; `--verbose` says what was loaded. */
export async function openModel(
  directory: string,
  options: LoadOptions,
  { quiet = false, verbose = false }: LogFlags,
  context: CommandContext,
): Promise<Model> {
  const { io, interrupts } = context
  using bar = createProgressBar(io.stderr, { quiet })
  const model = await loadModel(directory, { ...options, signal: interrupts.signal, onProgress: bar.update })
  bar[Symbol.dispose]()
  if (verbose) {
    const { backend, parameters, weightBytes, profile } = model
    io.stderr.write(
      `${directory}: ${formatCount(parameters)} weights in ${formatBytes(weightBytes)} on ${backend.name} (${backend.description})\n`,
    )
    if (profile) {
      const targets = profileTargets(profile.data).map(({ targetBits }) => targetBits)
      io.stderr.write(`profile ${profile.name} (${profile.data.method}): targets ${targets.join(', ')}\n`)
    }
  }
  return model
}
