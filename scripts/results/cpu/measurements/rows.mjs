import { importPackage } from '../../../lib/packages.mjs'
import { eightB, openRandomModel } from '../subjects.mjs'

const { interleavedRounds } = await importPackage('eval')

/** Steps of several tokens at once, as batches and speculation run them: milliseconds of each round by number of tokens. */
export async function measure({ bits, threads, counts = [1, 2, 4, 8, 16], rounds = 9 }) {
  const model = await openRandomModel({ ...eightB, threads, bits })
  const { policy } = model.precision({ precision: bits })
  const cache = model.createCache(Math.max(...counts))
  const turns = counts.map((count) => async () => {
    const tokens = Uint32Array.from({ length: count }, (_, i) => 100 + i)
    const steps = 8
    for (let i = 0; i < steps; i++) await model.run({ tokens, position: 0, cache, policy })
  })
  return { bits, counts, times: await interleavedRounds(turns, { rounds }) }
}
