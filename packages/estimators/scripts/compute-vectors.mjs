/**
 * The test vectors of this package: small inputs made of exact fractions, and what it makes of them. `exact` are bits
 * promised on every machine and for ever; `near` agree to the stated relative tolerance (they take more roots and sums,
 * and may be computed in another order one day).
 * @param {typeof import('../src/index.js')} lib this package
 */
export async function computeVectors(lib) {
  const [rows, cols, tokens] = [6, 4, 24]
  const rowOf = (n) => Float32Array.from({ length: cols }, (_, c) => (((7 * n + 3 * c + n * c) % 11) - 5) / 16)
  const x = Float32Array.from({ length: tokens * cols }, (_, i) => {
    const [t, c] = [Math.floor(i / cols), i % cols]
    return (((5 * t + 7 * c + t * c) % 13) - 6) / 8
  })
  const errors = await lib.errorNorms(rows, cols, rowOf, x)
  const norms = lib.inputNorms(x, cols)
  const normals = [0, 1, 42, 0xffffffff].map((seed) => {
    const normal = lib.createNormals(seed)
    return { seed, values: Array.from({ length: 6 }, normal) }
  })
  const projection = lib.createProjection(rows, cols, rowOf, { seed: 7 })
  const sketch = await lib.createSketch(rows, cols, rowOf, { x, errors }, { seed: 7, k: 3 })
  const tuned = await lib.tuneProjection(
    lib.createProjection(rows, cols, rowOf, { seed: 7, k: 3 }),
    { x, errors },
    { seed: 7, steps: 8 },
  )
  const { slope, intercept, r2 } = lib.fitLinear(norms, errors)

  // Estimates that need no root, so that quantiles and thresholds are exact.
  const estimates = Array.from({ length: 100 }, (_, t) => ((37 * t) % 101) / 64)
  const quantiles = lib.sketchQuantiles(estimates)
  const linear = { name: 'example', cols, pairs: [{ low: 3, high: 4, estimator: { kind: 'none' }, quantiles }] }

  // The same of a probe; and the thresholds of a price, which take logarithms, so they are near.
  const probe = { dtype: 'f32', shape: [cols], data: Float32Array.of(1, -0.5, 0.25, 2) }
  const probes = lib.groupEstimators([{ kind: 'probe', weights: probe, bias: -0.75 }], cols)
  const table = { name: 'example', weights: 1024, minBits: 3, errors: Float64Array.of(1, 0.5, 0.375, 0.0625) }
  const prices = new Float32Array(5)
  lib.fillPrices(prices, lib.priceThresholds([table]), -7)
  const fractions = [0, 0.01, 0.2, 0.5, 0.8, 0.99, 1]
  return {
    about:
      'rows n of the difference are (((7n + 3c + nc) mod 11) - 5) / 16, inputs t (((5t + 7c + tc) mod 13) - 6) / 8, c from 0',
    shape: { rows, cols, tokens },
    exact: {
      normals,
      // Rows 0, 1 and 63 of G [64, cols].
      projection: { seed: 7, k: 64, rows: [0, 1, 63].map((j) => [...projection.data.subarray(j * cols, (j + 1) * cols)]) },
      // Of the estimates ((37t) mod 101) / 64, t < 100; null is infinite.
      quantiles: [...quantiles.filter((_, i) => i % 32 === 0)],
      thresholds: fractions.map((fraction) => {
        const threshold = lib.thresholdAt(quantiles, fraction)
        return [fraction, Number.isFinite(threshold) ? threshold : null]
      }),
      probe: {
        weights: [...probe.data],
        bias: -0.75,
        estimates: [0, 1, 2, 3, 4, 5].map((t) => lib.estimateGroup(probes, x.subarray(t * cols, (t + 1) * cols))[0]),
      },
      decisions: [3.25, 3.5, 3.75].map((averageBits) => [averageBits, lib.decisionAt(linear, averageBits).threshold]),
    },
    near: {
      tolerance: 1e-5,
      errors: [...errors.subarray(0, 6)],
      norms: [...norms.subarray(0, 6)],
      estimates: [...lib.projectedNorms(projection, x).subarray(0, 6)],
      prices: {
        weights: table.weights,
        minBits: table.minBits,
        errors: [...table.errors],
        logPrice: -7,
        // 3|4, 4|5 and 5|6; those above are infinite.
        thresholds: [...prices.subarray(0, 3)],
      },
      linearFit: [slope, intercept, r2],
      sketch: { k: 3, principal: sketch.principal, estimates: [...lib.projectedNorms(sketch.matrix, x).subarray(0, 6)] },
      tuned: { k: 3, steps: 8, estimates: [...lib.projectedNorms(tuned.matrix, x).subarray(0, 6)] },
    },
  }
}
