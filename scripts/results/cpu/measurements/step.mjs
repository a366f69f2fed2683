import { importPackage } from '../../../lib/packages.mjs'
import { eightB, openRandomModel } from '../subjects.mjs'

const { emptyProfile, profileSince } = await importPackage('core')

/**
 * Where the time of decode steps behind a context goes: milliseconds by kind of operator, of each round. Linears are the reading of
 * planes; what else there is, `total` says.
 */
export async function measure({ bits, threads, context = 512, tokens = 16, rounds = 9 }) {
  const stepProfile = emptyProfile()
  const model = await openRandomModel({ ...eightB, threads, bits, stepProfile })
  const { policy } = model.precision({ precision: bits })
  const cache = model.createCache(context + tokens)
  await model.run({ tokens: new Uint32Array(context).fill(100), position: 0, cache, policy })
  const found = []
  for (let round = -1; round < rounds; round++) {
    const before = structuredClone(stepProfile)
    for (let i = 0; i < tokens; i++) await model.run({ tokens: Uint32Array.of(100 + i), position: context + i, cache, policy })
    if (round >= 0) found.push(profileSince(stepProfile, before))
  }
  return { bits, rounds: found }
}
