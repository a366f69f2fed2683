import { importPackage } from '../../../lib/packages.mjs'
import { mixedBits } from '../mixed-bits.mjs'
import { eightB, openRandomModel } from '../subjects.mjs'

const { interleavedRounds, medianOf } = await importPackage('eval')
const { createRandom, pairThresholds, staticPolicy, THRESHOLDS } = await importPackage('core')
const COUNT = 32

/**
 * Decode steps in which every linear of every token is decided on by an estimate, 3 or 4 bits, half of the tokens each, and steps at
 * fixed bits of the same mean: milliseconds of each round.
 * @param {{ threads: number, estimator: 'probe' | 'linear' | 'projection' }} options
 */
export async function measure({ threads, estimator, rounds = 15 }) {
  const model = await openRandomModel({ ...eightB, threads, bits: 4 })
  const random = createRandom(0)
  const tokens = Array.from({ length: COUNT }, () => Math.floor(random.uniform() * eightB.vocabulary))
  const estimators = model.linears.map(({ cols }) => makeEstimator(estimator, cols, random))
  const cache = model.createCache(COUNT)
  const run = async (policy) => {
    const steps = []
    for (const [position, token] of tokens.entries())
      steps.push(await model.run({ tokens: Uint32Array.of(token), position, cache, policy }))
    return steps
  }

  const always = { estimators, thresholds: thresholdsOf(model.linears, () => 0) }
  const estimates = (await run(always)).map((step) => step.estimates)
  const dynamic = { estimators, thresholds: thresholdsOf(model.linears, (i) => medianOf(estimates.map((e) => e[i]))) }
  const decided = (await run(dynamic)).map(({ bits }) => bits)
  const effectiveBits = decided.reduce((sum, bits) => sum + model.effectiveBits(bits, 1), 0) / COUNT
  const changes = decided.slice(1).map((bits, t) => bits.reduce((sum, b, i) => sum + (b !== decided[t][i]), 0) / bits.length)
  const mix = mixedBits(model.linears, effectiveBits)

  const [dynamicTimes, staticTimes] = await interleavedRounds(
    [() => run(dynamic).then(nothing), () => run(staticPolicy(mix)).then(nothing)],
    { rounds },
  )
  return {
    effectiveBits,
    staticBits: model.effectiveBits(Uint8Array.from(mix), 1),
    // Part of the linears whose bits differ from those of the token before.
    changed: changes.reduce((a, b) => a + b, 0) / changes.length,
    tokens: COUNT,
    dynamic: dynamicTimes,
    static: staticTimes,
  }
}

/** A projection has DP-LLM's 64 rows; that its numbers mean nothing does not change its speed. */
function makeEstimator(kind, width, random) {
  const data = (count) => Float32Array.from({ length: count }, () => random.normal() / Math.sqrt(width))
  if (kind === 'probe') return { kind, weights: { dtype: 'f32', shape: [width], data: data(width) }, bias: 0 }
  if (kind === 'linear') return { kind, slope: 1, intercept: 0 }
  return { kind, matrix: { dtype: 'f32', shape: [64, width], data: data(64 * width) } }
}

function thresholdsOf(linears, threshold) {
  const thresholds = new Float32Array(linears.length * THRESHOLDS)
  for (const i of linears.keys()) thresholds.set(pairThresholds(3, 4, threshold(i)), i * THRESHOLDS)
  return thresholds
}

const nothing = () => undefined
