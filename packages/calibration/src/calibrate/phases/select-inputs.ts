import type { CompiledProgram } from '@dpllm/core'
import { decoderProgram, type Model, type SelectInputs } from '@dpllm/runtime'
import { runWindows } from '../run-windows.js'
import { tokensOf } from './select-windows.js'

/** Names of the values that the select operators of a model's linears read, in order. */
export function selectInputNames({ config }: Pick<Model, 'config'>, selectInputs: SelectInputs): string[] {
  return decoderProgram(config, { selectInputs }).program.operators.flatMap((op) => (op.kind === 'select' ? [op.x] : []))
}

/** The model's program with select operators that read other inputs than the model's own. */
export function compileSelecting({ config, backend, weights }: Model, selectInputs: SelectInputs): Promise<CompiledProgram> {
  return backend.compile(decoderProgram(config, { selectInputs }).program, weights)
}

/** Values of a model over all windows, f32 [tokens, width] by name. */
export async function collectValues(
  model: Model,
  windows: readonly Uint32Array[],
  names: readonly string[],
  { policy, signal, onTokens }: Pick<Parameters<Model['run']>[0], 'policy' | 'signal'> & { onTokens?: (tokens: number) => void },
): Promise<Map<string, Float32Array>> {
  const total = tokensOf(windows)
  const values = new Map<string, Float32Array>()
  for await (const { tokens, result, done } of runWindows(model, windows, () => ({ policy, outputs: names }), { signal })) {
    for (const name of names) {
      const part = result.outputs[name]
      const width = part.length / tokens.length
      const whole = values.get(name) ?? new Float32Array(total * width)
      values.set(name, whole)
      whole.set(part, (done - tokens.length) * width)
    }
    onTokens?.(done)
  }
  return values
}
