import type { ModelConfig } from '../config/model-config.js'
import type { DecoderProgram } from '../models/decoder.js'

/** A linear that decides its bits, as a model's files have it. */
export interface AdaptiveLinear {
  readonly rows: number
  readonly cols: number
  /** Values of the residual stream for each token: what its select reads where `SelectInputs` are `residual`. */
  readonly residualWidth: number
  /** Bit counts that it can be read at. */
  readonly bits: readonly number[]
}

/** The linears that get a select operator, by module in the order of the operators: those of the blocks that are bit-planes. */
export function adaptiveLinears(
  { program, weights }: DecoderProgram,
  { quantization, hiddenSize }: ModelConfig,
): Map<string, AdaptiveLinear> {
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]))
  const selected = program.operators.flatMap((op) => (op.kind === 'select' ? [op.weight] : []))
  return new Map(
    selected.map((name) => {
      const module = name.replace(/\.weight$/, '')
      const [rows, cols] = shapes.get(name)!
      return [module, { rows, cols, residualWidth: hiddenSize, bits: quantization!.quantizedModules[module].bits }]
    }),
  )
}
