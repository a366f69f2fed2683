import type { Policy, StepResult } from '@dpllm/core'
import { type PrecisionRequest, type RequestPolicy, requestPolicy } from '@dpllm/runtime'
import type { BenchModel } from '../bench/bench.js'

/** Something whose speed is compared: a model at a precision, here or in another engine. */
export interface Contender extends AsyncDisposable {
  readonly name: string
  /** Reads a prompt from an empty context and computes the last token's logits. */
  read(tokens: Uint32Array): Promise<void>
  /** Decodes tokens one by one from an empty context, with the logits of each, whatever they say. */
  decode(tokens: Uint32Array): Promise<void>
  /** Bits that a weight took in what has run last: read of bit-planes here, stored elsewhere. */
  bitsPerWeight(): number
}

/** A model at a precision, which also knows where its bits went. */
export interface ModelContender extends Contender {
  /** f64 [linears]: mean bits that each linear read in what has run last. */
  linearBits(): Float64Array
}

export interface ModelContenderOptions extends PrecisionRequest {
  readonly name: string
  /** Instead of a precision: decides at prompts, too. */
  readonly policy?: Policy | undefined
  /** Whether decoding holds a dynamic precision at its target, as `generate` does. Default true. */
  readonly feedback?: boolean | undefined
  /** Tokens of a prompt that run in one step; default 512. */
  readonly batchSize?: number | undefined
}

/** One of our models at a precision. Its owner goes on to own the model: disposing of this disposes of nothing. */
export function modelContender(model: BenchModel, options: ModelContenderOptions): ModelContender {
  const { name, batchSize = 512 } = options
  const { reading, decoding } = policiesOf(model, options)
  let bitsPerWeight = 0
  let linearSums = new Float64Array(0)
  let tokensRun = 0
  const run = async (tokens: Uint32Array, batch: number, { policy, record }: RequestPolicy) => {
    using cache = model.createCache(tokens.length)
    let sum = 0
    let result: StepResult | undefined
    linearSums = new Float64Array(0)
    for (let position = 0; position < tokens.length; position += batch) {
      const part = tokens.subarray(position, position + batch)
      result = await model.run({ tokens: part, position, cache, policy, reuse: result })
      const { bits } = result
      const effectiveBits = model.effectiveBits(bits, part.length)
      record?.(effectiveBits, part.length)
      sum += effectiveBits * part.length
      if (linearSums.length === 0) linearSums = new Float64Array(bits.length / part.length)
      for (let i = 0; i < bits.length; i++) linearSums[Math.floor(i / part.length)] += bits[i]
    }
    tokensRun = tokens.length
    bitsPerWeight = sum / tokens.length
  }
  return {
    name,
    read: (tokens) => run(tokens, batchSize, reading()),
    decode: (tokens) => run(tokens, 1, decoding()),
    bitsPerWeight: () => bitsPerWeight,
    linearBits: () => linearSums.map((bits) => bits / tokensRun),
    [Symbol.asyncDispose]: async () => {},
  }
}

function policiesOf(model: BenchModel, { targetBits, precision, method, policy, feedback }: ModelContenderOptions) {
  if (policy !== undefined) return { reading: () => ({ policy }), decoding: () => ({ policy }) }
  const chosen = model.precision({ targetBits, precision, method })
  return {
    reading: () => ({ policy: chosen.prefillPolicy }),
    decoding: () => requestPolicy(chosen, { targetBits, feedback }),
  }
}
