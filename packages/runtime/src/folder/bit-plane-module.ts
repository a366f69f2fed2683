import { type TensorDeclaration, wordsPerRow } from '@dpllm/core'

/** A matrix of a quantized model that is bit-planes. */
export interface BitPlaneModule {
  /** The module's name: model.layers.0.self_attn.q_proj */
  readonly name: string
  readonly rows: number
  readonly cols: number
  readonly seedBits: number
  readonly maxBits: number
}

/** Tensors of a module's bit-planes, in the order of the file (docs/file-format.md). */
export function moduleTensors({ name, rows, cols, seedBits, maxBits }: BitPlaneModule): TensorDeclaration[] {
  const luts = Array.from({ length: maxBits - seedBits + 1 }, (_, level) => ({
    name: `${name}.lut${seedBits + level}`,
    dtype: 'f16' as const,
    shape: [rows, 2 ** (seedBits + level)],
  }))
  return [{ name: `${name}.planes`, dtype: 'u32' as const, shape: [maxBits, rows, wordsPerRow(cols)] }, ...luts]
}
