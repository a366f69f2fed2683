// Dynamic precision in an engine that is not ours. Only @dpllm/estimators is used; typed arrays go in and come out.
//   npm start
import { fileURLToPath } from 'node:url'
import {
  chooseEstimator,
  decisionAt,
  deserializeEstimators,
  errorNorms,
  estimateGroup,
  groupEstimators,
  serializeEstimators,
  sketchQuantiles,
} from '@dpllm/estimators'
import { createEngine, createUniform, normals, runLayer } from './toy-engine.mjs'

const shape = { layers: 4, width: 48, low: 3, high: 4 }

/**
 * Runs the example: one calibration, then a request for each target.
 * @returns mean bits and mean squared error of each way to choose the precision of a layer, and the estimators' kinds
 */
export async function compare({ targets = [3.25, 3.5], tokens = 400 } = {}) {
  const engine = createEngine({ ...shape, seed: 1 })
  const { header, tensors } = await calibrate(engine, inputs(tokens, 2))

  // `header` is JSON and `tensors` are typed arrays by name: they have been to a file here and back.
  const layers = deserializeEstimators(JSON.parse(JSON.stringify(header)), tensors)
  const estimators = layers.map(({ pairs, cols }) => groupEstimators([pairs[0].estimator], cols))
  const coin = createUniform(3)
  const ways = { [`always ${shape.low}`]: () => shape.low, [`always ${shape.high}`]: () => shape.high }
  for (const target of targets) {
    // All that a new target takes: a threshold for each layer, read from its quantiles.
    const decisions = layers.map((layer) => decisionAt(layer, target))
    ways[`chance ${target}`] = () => (coin() < target - shape.low ? shape.high : shape.low)
    ways[`dynamic ${target}`] = (layer, x) => {
      const { low, high, threshold } = decisions[layer]
      return estimateGroup(estimators[layer], x)[0] > threshold ? high : low
    }
  }
  const results = Object.entries(ways).map(([name, choose]) => [name, measure(engine, inputs(tokens, 4), choose)])
  return { ways: Object.fromEntries(results), kinds: layers.map(({ pairs }) => pairs[0].estimator.kind) }
}

/** Once for each model: what each layer reads becomes an estimator of its error, and the quantiles of its estimates. */
async function calibrate(engine, xs) {
  const { width, low, high } = engine
  const seen = engine.layers.map(() => [])
  for (const x of xs) {
    run(engine, x, (layer, input) => {
      seen[layer].push(input)
      return high
    })
  }
  const linears = []
  for (const [layer, weights] of engine.layers.entries()) {
    const rowOf = (row) => difference(weights[high], weights[low], row * width, width)
    const x = Float32Array.from(seen[layer].flatMap((input) => [...input]))
    const errors = await errorNorms(width, width, rowOf, x)
    // The norm of x says enough here (R² is above 0.9); the first layer gets a projection all the same, to show one.
    const others = layer === 0 ? { linearR2: 2, candidates: ['sketch'] } : {}
    const { estimator } = await chooseEstimator(width, width, rowOf, { x, errors }, { seed: layer, k: 16, ...others })
    const group = groupEstimators([estimator], width)
    const quantiles = sketchQuantiles(seen[layer].map((input) => estimateGroup(group, input)[0]))
    linears.push({ name: `layers.${layer}`, cols: width, pairs: [{ low, high, estimator, quantiles }] })
  }
  return serializeEstimators(linears)
}

/** Runs all layers; `choose` says at which precision. */
function run(engine, x, choose) {
  return engine.layers.reduce((value, _, layer) => runLayer(engine, layer, choose(layer, value), value), x)
}

function measure(engine, xs, choose) {
  let bits = 0
  let error = 0
  for (const x of xs) {
    const wanted = run(engine, x, () => 'original')
    const found = run(engine, x, (layer, input) => {
      const chosen = choose(layer, input)
      bits += chosen
      return chosen
    })
    error += found.reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0) / engine.width
  }
  return { bits: bits / xs.length / engine.layers.length, error: error / xs.length }
}

/** Inputs of very different sizes, as activations of language models are. */
function inputs(count, seed) {
  const uniform = createUniform(seed)
  return Array.from({ length: count }, () => {
    const size = Math.exp(normals(uniform, 1)[0] - 1)
    return normals(uniform, shape.width).map((value) => value * size)
  })
}

function difference(high, low, begin, length) {
  return Float32Array.from({ length }, (_, i) => high[begin + i] - low[begin + i])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ways, kinds } = await compare()
  if (process.argv.includes('--json')) console.log(JSON.stringify({ ways, kinds }))
  else {
    console.log(`estimators of the layers: ${kinds.join(', ')}`)
    console.log('precision     mean bits   mean squared error')
    for (const [name, { bits, error }] of Object.entries(ways)) {
      console.log(`${name.padEnd(14)}${bits.toFixed(3).padEnd(12)}${error.toExponential(3)}`)
    }
  }
}
