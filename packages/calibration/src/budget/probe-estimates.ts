import type { Probe } from './fit-probe.js'

/** Estimates e = weights · u + bias of rows u of f32 [tokens, D], as the reference backend makes them. */
export function probeEstimates({ weights: { data }, bias }: Probe, features: Float32Array): Float32Array {
  const width = data.length
  return Float32Array.from({ length: features.length / width }, (_, t) => {
    let sum = bias
    for (let k = 0; k < width; k++) sum += data[k] * features[t * width + k]
    return sum
  })
}
