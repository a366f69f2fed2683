import type { Activation } from '@dpllm/core'
import type { Quantization } from './schema.js'

/** Families whose programs `models/` writes. */
export type Family = 'llama' | 'mistral' | 'qwen2' | 'qwen3' | 'phi3'

/** A decoder-only model's shape, whatever family it is of. */
export interface ModelConfig {
  readonly family: Family
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabularySize: number
  /** Most positions that the model was made for. */
  readonly contextLength: number
  readonly rmsNormEps: number
  readonly activation: Activation
  /** The head is the embedding's matrix. */
  readonly tiedEmbeddings: boolean
  /** Which projections carry biases. */
  readonly biases: { readonly qkv: boolean; readonly o: boolean; readonly mlp: boolean }
  /** Root mean square norm of every head of q and k (Qwen3). */
  readonly qkNorm: boolean
  /** qkv_proj and gate_up_proj instead of separate projections (Phi-3). */
  readonly fused: boolean
  readonly rope: RopeConfig
  /** Sliding window of each layer; undefined for full attention. */
  readonly windows: readonly (number | undefined)[]
  /** Present when the weights are nested bit-planes. */
  readonly quantization: Quantization | undefined
}

export interface RopeConfig {
  /** f32[F]: angle of pair i per position; F = half the rotated values of a head. */
  readonly frequencies: Float32Array
  /** Factor on sines and cosines (YaRN and LongRoPE; else 1). */
  readonly scale: number
}
