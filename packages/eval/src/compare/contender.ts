import { type PrecisionRequest, requestPolicy } from '@dpllm/runtime'
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

export interface ModelContenderOptions extends PrecisionRequest {
  readonly name: string
  /** Tokens of a prompt that run in one step; default 512. */
  readonly batchSize?: number | undefined
}

/** One of our models at a precision. Its owner goes on to own the model: disposing of this disposes of nothing. */
export function modelContender(model: BenchModel, options: ModelContenderOptions): Contender {
  const { name, batchSize = 512 } = options
  const { targetBits, precision, method } = options
  const chosen = model.precision({ targetBits, precision, method })
  let bitsPerWeight = 0
  const run = async (tokens: Uint32Array, batch: number, { policy, record }: ReturnType<typeof requestPolicy>) => {
    using cache = model.createCache(tokens.length)
    let sum = 0
    for (let position = 0; position < tokens.length; position += batch) {
      const part = tokens.subarray(position, position + batch)
      const { bits } = await model.run({ tokens: part, position, cache, policy })
      const effectiveBits = model.effectiveBits(bits, part.length)
      record?.(effectiveBits, part.length)
      sum += effectiveBits * part.length
    }
    bitsPerWeight = sum / tokens.length
  }
  return {
    name,
    read: (tokens) => run(tokens, batchSize, { policy: chosen.prefillPolicy }),
    decode: (tokens) => run(tokens, 1, requestPolicy(chosen, { targetBits })),
    bitsPerWeight: () => bitsPerWeight,
    [Symbol.asyncDispose]: async () => {},
  }
}
