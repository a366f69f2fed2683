import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decideBits, MAX_BITS, staticPolicy, THRESHOLDS } from '@dpllm/core'
import { createCpuBackend, type Instructions, probeCpu } from '@dpllm/cpu-kernels'
import { loadModel, type Model } from '@dpllm/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { calibrateModel } from '../src/calibrate/calibrate-model.js'
import { writeQuantizedTinyModel } from '../src/testing/quantized-tiny-model.js'

const cpu = probeCpu()
const instructionSets = (cpu.ok ? cpu.available : []) as Instructions[]
const missing = cpu.ok ? undefined : `without the CPU backend there is nothing to compare: ${cpu.reason}`

/** Relative to the largest estimate of a linear: sums of some ten products of f32, through two blocks. */
const TOLERANCE = 1e-4

let directory: string
let quantized: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-policies-agree-'))
  quantized = join(directory, 'quantized')
  await writeQuantizedTinyModel(directory)
})
afterAll(() => rm(directory, { recursive: true }))

const tokens = Uint32Array.from({ length: 40 }, (_, i) => (i * 7) % 50)

/** Estimates and decisions of every select operator at a target, while all linears read 4 bits. */
async function decisions(model: Model, targetBits: number) {
  const { policy } = model.precision({ targetBits })
  const { estimators, thresholds } = policy!
  const fixed = { estimators, thresholds: staticPolicy(model.linears.map(() => 4)).thresholds }
  using cache = model.createCache(tokens.length)
  const { estimates } = await model.run({ tokens, position: 0, cache, policy: fixed })
  return { estimates, thresholds }
}

test.for([
  ['budget', {}],
  ['dp-llm', { estimator: 'hybrid' }],
  ['dp-llm', { estimator: 'hybrid', asynchronous: false }],
  ['dp-llm', { estimator: 'exact' }],
  ['dp-llm', { estimator: 'probe' }],
] as const)('%s, %o: every backend estimates and decides as the reference does', async ([method, options], { skip }) => {
  skip(missing !== undefined, missing)
  const name = [method, ...Object.values(options)].join('-')
  await calibrateModel({
    model: quantized,
    calibrationText: 'the cat sat on the mat and saw a dog. '.repeat(30),
    memoryBudget: 5,
    targets: [3.5, 4.5],
    method,
    ...options,
    name,
    samples: 16,
    sequenceLength: 24,
    steps: 4,
    backend: 'reference',
  })
  await using reference = await loadModel(quantized, { backend: 'reference', profile: name })
  for (const targetBits of [3.5, 4.2]) {
    const wanted = await decisions(reference, targetBits)
    for (const instructions of instructionSets) {
      const backend = createCpuBackend({ instructions, arithmetic: 'precise' })
      await using model = await loadModel(quantized, { backend, profile: name })
      const found = await decisions(model, targetBits)
      expect(found.thresholds).toEqual(wanted.thresholds)
      let compared = 0
      for (const [i] of model.linears.entries()) {
        const part = ({ estimates }: typeof found) => estimates.subarray(i * tokens.length, (i + 1) * tokens.length)
        const row = wanted.thresholds.subarray(i * THRESHOLDS, (i + 1) * THRESHOLDS)
        const tolerance = TOLERANCE * Math.max(...part(wanted).map(Math.abs))
        part(wanted).forEach((estimate, t) => {
          expect(Math.abs(part(found)[t] - estimate)).toBeLessThanOrEqual(tolerance)
          if (row.some((threshold) => Math.abs(threshold - estimate) <= tolerance)) return
          const bits = (e: number) => decideBits(e, row, 0, 3, MAX_BITS)
          expect(bits(part(found)[t])).toBe(bits(estimate))
          compared++
        })
      }
      expect(compared).toBeGreaterThan(0.95 * model.linears.length * tokens.length)
    }
  }
})
