import type { CompiledProgram, Step, StepResult } from '@dpllm/core'

/** One step of a window that `runWindows` has run. */
export interface WindowStep {
  readonly tokens: Uint32Array
  readonly result: StepResult
  /** Tokens of all steps so far, this one included. */
  readonly done: number
}

/**
 * Runs windows of a text through a model or another program, each from position 0 with a cache of its own.
 * @param stepOf what a step asks for besides its tokens; called with the index of its window
 * @param options.chunk most tokens of one step, which bounds the memory of activations; default whole windows
 * @throws the signal's reason, seen between steps
 */
export async function* runWindows(
  program: Pick<CompiledProgram, 'createCache' | 'run'>,
  windows: readonly Uint32Array[],
  stepOf: (tokens: Uint32Array, window: number) => Omit<Step, 'tokens' | 'position' | 'cache'>,
  { chunk = Number.POSITIVE_INFINITY, signal }: { chunk?: number; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<WindowStep, void, undefined> {
  let done = 0
  for (const [i, window] of windows.entries()) {
    using cache = program.createCache(window.length)
    for (let position = 0; position < window.length; position += chunk) {
      signal?.throwIfAborted()
      const tokens = window.subarray(position, position + chunk)
      const result = await program.run({ ...stepOf(tokens, i), tokens, position, cache })
      done += tokens.length
      yield { tokens, result, done }
    }
  }
}
