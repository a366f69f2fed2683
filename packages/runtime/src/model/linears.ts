import { InvalidArgumentError, isBitPlanes, type Weights } from '@dpllm/core'

/** A linear whose bits are decided by a select operator; in the order of the select operators. */
export interface LinearInfo {
  /** The module's name: model.layers.0.self_attn.q_proj */
  readonly module: string
  readonly rows: number
  readonly cols: number
  readonly minBits: number
  /** Most bits loaded. */
  readonly maxBits: number
}

/** Describes the weights of the select operators. */
export function describeLinears(selects: readonly string[], weights: Weights): LinearInfo[] {
  return selects.map((name) => {
    const weight = weights.get(name)!
    if (!isBitPlanes(weight)) throw new TypeError(`${name} is not made of bit-planes`)
    const { rows, cols, seedBits, maxBits } = weight
    return { module: name.replace(/\.weight$/, ''), rows, cols, minBits: seedBits, maxBits }
  })
}

/**
 * Mean bits that tokens read, weighted by parameters (DP-LLM §6.1; the head and dense tensors are not counted).
 * @param bits u8 [linears, tokens]
 */
export function effectiveBits(linears: readonly LinearInfo[], bits: Uint8Array, tokens: number): number {
  let sum = 0
  let parameters = 0
  linears.forEach(({ rows, cols }, i) => {
    parameters += rows * cols
    for (let t = 0; t < tokens; t++) sum += bits[i * tokens + t] * rows * cols
  })
  // Integers up to here, so that a fixed bit count comes out exactly.
  return sum / (parameters * tokens)
}

/** @throws InvalidArgumentError if a target reads a linear at bits that are not loaded */
export function checkLoaded({ module, minBits, maxBits }: LinearInfo, low: number, high: number, targetBits: number): void {
  if (low >= minBits && high <= maxBits) return
  const wanted = `a target that reads ${minBits} to ${maxBits} bits, which are loaded of ${module} (load more with maxBits)`
  throw new InvalidArgumentError('targetBits', wanted, `${targetBits}, which reads ${low} to ${high}`)
}
