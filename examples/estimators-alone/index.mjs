// Dynamic precision in an engine that is not ours. Only @dpllm/estimators is used; typed arrays go in and come out.
//   npm start
import { fileURLToPath } from 'node:url'
import { createProjection, pairThreshold, projectedNorm } from '@dpllm/estimators'
import { createEngine, createUniform, normals, runLayer } from './toy-engine.mjs'

/** Runs the example. @returns mean bits and mean squared error of each way to choose the precision of a layer */
export function compare({ target = 3.25, tokens = 400 } = {}) {
  const engine = createEngine({ layers: 4, width: 48, low: 3, high: 4, seed: 1 })
  const { layers, width, low, high } = engine

  // Once for each weight: G, with which ‖G x‖ estimates how far the two precisions are apart for an input x.
  const projections = layers.map((layer, i) =>
    createProjection(width, width, (row) => difference(layer[high], layer[low], row * width, width), { seed: i }),
  )

  // Once for each target: the estimates of calibration inputs become a threshold for each layer.
  const estimates = layers.map(() => [])
  for (const x of inputs(tokens, width, 2)) {
    run(engine, x, (layer, input) => {
      estimates[layer].push(projectedNorm(projections[layer], input))
      return high
    })
  }
  const thresholds = estimates.map((values) => pairThreshold(values, low, high, target))

  // For each input: one small product and one comparison decide how far the weights are read.
  const coin = createUniform(3)
  const ways = {
    [`always ${low}`]: () => low,
    [`always ${high}`]: () => high,
    'by chance': () => (coin() < (target - low) / (high - low) ? high : low),
    dynamic: (layer, x) => (projectedNorm(projections[layer], x) > thresholds[layer] ? high : low),
  }
  const results = Object.entries(ways).map(([name, choose]) => ({ name, ...measure(engine, inputs(tokens, width, 4), choose) }))
  return Object.fromEntries(results.map(({ name, ...result }) => [name, result]))
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
function inputs(count, width, seed) {
  const uniform = createUniform(seed)
  return Array.from({ length: count }, () => {
    const size = Math.exp(normals(uniform, 1)[0] - 1)
    return normals(uniform, width).map((value) => value * size)
  })
}

function difference(high, low, begin, length) {
  return Float32Array.from({ length }, (_, i) => high[begin + i] - low[begin + i])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log('precision   mean bits   mean squared error')
  for (const [name, { bits, error }] of Object.entries(compare())) {
    console.log(`${name.padEnd(12)}${bits.toFixed(3).padEnd(12)}${error.toExponential(3)}`)
  }
}
