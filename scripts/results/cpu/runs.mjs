import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * What is measured, by part of the page: modules of measurements/ and their options.
 * @param {string} work
 * @returns {Record<string, { measurement: string, options: object }[]>}
 */
export function runsOf(work) {
  const most = Math.min(2, availableParallelism())
  const threadCounts = most === 1 ? [1] : [1, most]
  const overThreads = (measurement, options) => threadCounts.map((threads) => ({ measurement, options: { threads, ...options } }))
  const overBits = (measurement, bits, options = {}) => bits.flatMap((b) => overThreads(measurement, { bits: b, ...options }))
  return {
    kernels: [
      ...overThreads('kernels', { bits: [3, 4, 5, 6, 8] }),
      ...overThreads('kernels', { bits: [4, 5, 6, 8], arithmetic: 'precise' }),
    ],
    decode: overBits('decode', [3, 4, 5, 6]),
    onnxruntime: overThreads('gemv-onnx', { bits: [3, 4] }),
    step: overBits('step', [3, 4, 5, 6]),
    dynamic: [
      ...overThreads('dynamic', { estimator: 'probe' }),
      ...overThreads('dynamic', { estimator: 'linear' }),
      ...overThreads('dynamic', { estimator: 'projection' }),
      ...overThreads('static-mix', { targets: [3, 3.25, 3.5, 3.75, 4, 4.5, 5, 5.5, 6] }),
    ],
    contention: [4, 3].map((bits) => ({ measurement: 'contention', options: { threads: most, bits } })),
    prefill: overBits('prefill', [4]),
    rows: overBits('rows', [3, 4, 5, 6]),
    memory: [{ measurement: 'memory', options: { threads: most } }],
    instructions: [3, 4, 6].map((bits) => ({ measurement: 'instructions', options: { threads: 1, bits } })),
    tinyllama: existsSync(`${work}../tinyllama-exact`) ? overBits('tinyllama', [3, 4, 5, 6]) : [],
  }
}
