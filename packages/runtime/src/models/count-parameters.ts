import type { ModelConfig } from '../config/model-config.js'
import type { DecoderProgram } from './decoder.js'

/**
 * Number of a model's weights, norms and biases included. A head shared with the embedding counts once, even where it is
 * stored by itself as bit-planes.
 */
export function countParameters({ weights, frequencies }: DecoderProgram, { tiedEmbeddings }: ModelConfig): number {
  const counted = weights.filter(({ name }) => name !== frequencies && !(tiedEmbeddings && name === 'lm_head.weight'))
  return counted.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
}
