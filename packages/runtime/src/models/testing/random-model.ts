import { createRandom, type Tensor } from '@dpllm/core'
import { type StateDictConfig, stateDict } from './state-dict.js'

/**
 * Random weights of a model, by tensor name; the same for ever for a config and seed. Scales keep the residual stream near
 * size 1, attention far from uniform and logits spread over several nats, so that a wrong operator shows.
 */
export function randomModel(config: StateDictConfig, seed: number): Map<string, Tensor<'f32'>> {
  const random = createRandom(seed)
  const weights = new Map<string, Tensor<'f32'>>()
  for (const [name, ...shape] of stateDict(config)) {
    const [mean, deviation] = distribution(name, shape)
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    for (let i = 0; i < data.length; i++) data[i] = mean + deviation * random.normal()
    weights.set(name, { dtype: 'f32', shape, data })
  }
  return weights
}

/** Token ids below `vocabulary`; the same for ever. */
export function randomTokens(count: number, vocabulary: number, seed: number): Uint32Array {
  const random = createRandom(seed)
  return Uint32Array.from({ length: count }, () => random.uint32() % vocabulary)
}

function distribution(name: string, shape: readonly number[]): readonly [mean: number, deviation: number] {
  if (name.includes('norm')) return [1, 0.2]
  if (name.endsWith('.bias')) return [0, 0.5]
  if (name.includes('embed_tokens')) return [0, 0.3]
  const isHead = name.startsWith('lm_head')
  return [0, (isHead ? 2 : 1.5) / Math.sqrt(shape[1])]
}
