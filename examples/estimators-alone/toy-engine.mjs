// An engine of its own, knowing nothing of ours: a few layers y = tanh(W x) with every W kept at two precisions.

/** Reproducible uniform numbers in [0, 1) (Park and Miller 1988). */
export function createUniform(seed) {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

/** Standard normal values f32 [count] (Box and Muller 1958). */
export function normals(uniform, count) {
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()))
}

/** Layers of width × width: the original weights, and these rounded to `low` and to `high` bits. */
export function createEngine({ layers, width, low, high, seed }) {
  const uniform = createUniform(seed)
  return {
    width,
    low,
    high,
    layers: Array.from({ length: layers }, () => {
      const original = normals(uniform, width * width).map((value) => value / Math.sqrt(width))
      return { original, [low]: rounded(original, low), [high]: rounded(original, high) }
    }),
  }
}

/** y = tanh(W x), with the weights called `precision`. */
export function runLayer(engine, layer, precision, x) {
  const weights = engine.layers[layer][precision]
  return Float32Array.from({ length: engine.width }, (_, row) => {
    let sum = 0
    for (let col = 0; col < engine.width; col++) sum += weights[row * engine.width + col] * x[col]
    return Math.tanh(sum)
  })
}

/** Weights at 2^bits equally spaced values over their range. */
function rounded(weights, bits) {
  const largest = weights.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  const step = (2 * largest) / (2 ** bits - 1)
  return weights.map((value) => Math.round((value + largest) / step) * step - largest)
}
