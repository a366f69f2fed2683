import { eightB, openRandomModel } from '../subjects.mjs'

/**
 * Memory of this process with a model of a bit budget that has decoded a context of tokens, against what the model is made of. More
 * layers than elsewhere: an empty process takes some 50 MB, and its model's part is what is asked for.
 */
export async function measure({ bits = 5, threads, layers = 16, context = 512 }) {
  const empty = process.memoryUsage.rss()
  const model = await openRandomModel({ ...eightB, layers, threads, bits })
  const { layers: count, kvHeads, headDim } = model.config
  const cache = model.createCache(context)
  for (let position = 0; position < context; position += 64)
    await model.run({ tokens: new Uint32Array(64).fill(100), position, cache, policy: undefined })
  for (let i = 0; i < 8; i++) await model.run({ tokens: Uint32Array.of(100 + i), position: context - 8 + i, cache })
  // Keys and values as f16.
  const needed = model.weightBytes + context * count * 2 * kvHeads * headDim * 2
  return { bits, layers, empty, resident: process.memoryUsage.rss(), weights: model.weightBytes, needed }
}
