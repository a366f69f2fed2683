import { importPackage } from '../../../lib/packages.mjs'
import { mixedBits } from '../mixed-bits.mjs'
import { eightB, openRandomModel } from '../subjects.mjs'

const { interleavedRounds } = await importPackage('eval')
const { staticPolicy } = await importPackage('core')
const TOKENS = 16

/** Decode steps at mixes of whole bit counts, fixed for each linear: milliseconds of each round by effective bits. */
export async function measure({ threads, targets, rounds = 9 }) {
  const model = await openRandomModel({ ...eightB, threads, bits: Math.ceil(Math.max(...targets)) })
  const cache = model.createCache(TOKENS)
  const run = async (policy) => {
    let bits
    for (let i = 0; i < TOKENS; i++) ({ bits } = await model.run({ tokens: Uint32Array.of(100 + i), position: i, cache, policy }))
    return model.effectiveBits(bits, 1)
  }
  const effectiveBits = []
  const turns = targets.map((target, i) => {
    const policy = staticPolicy(mixedBits(model.linears, target))
    return async () => {
      effectiveBits[i] = await run(policy)
    }
  })
  const times = await interleavedRounds(turns, { rounds })
  return { effectiveBits, tokens: TOKENS, times }
}
