import { createRandom, createReferenceBackend, emptyProfile, InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { benchKernels } from './bench-kernels.js'
import { inputOfWidth, linearProgram } from './linear-program.js'
import { fastRandomPlanes } from './random-planes.js'

/** The reference backend with the clock of a machine that takes a millisecond for a linear. */
function timedBackend() {
  const stepProfile = emptyProfile()
  const bits: number[] = []
  const backend = createReferenceBackend()
  return {
    stepProfile,
    bits,
    backend: {
      ...backend,
      compile: async (...given: Parameters<typeof backend.compile>) => {
        const program = await backend.compile(...given)
        return Object.assign(Object.create(program), {
          run: async (step: Parameters<typeof program.run>[0]) => {
            const result = await program.run(step)
            bits.push(...result.bits)
            stepProfile.operators.linear = (stepProfile.operators.linear ?? 0) + step.outputs!.length
            return result
          },
          createCache: (capacity: number) => program.createCache(capacity),
          [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
        })
      },
    },
  }
}

test('kernels are compared with a read of the planes that they read', async () => {
  const { backend, stepProfile, bits } = timedBackend()
  const reads: number[] = []
  const rows = await benchKernels(backend, {
    stepProfile,
    readMemory: async (arrays) => {
      reads.push(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0))
      return arrays.length / 2
    },
    shapes: [
      [64, 128],
      [48, 40],
    ],
    bits: [3, 5],
    bytes: 2 * 3 * 64 * 16,
    rounds: 2,
    warmup: 0,
    pause: 0,
  })
  // Two matrices of the first shape make up the bytes; rows of 40 columns take two words.
  const small = Math.ceil((2 * 3 * 64 * 16) / (3 * 48 * 8))
  expect([...new Set(reads)]).toEqual([2 * 3 * 64 * 16, 2 * 5 * 64 * 16, small * 3 * 48 * 8, small * 5 * 48 * 8])
  expect(new Set(bits)).toEqual(new Set([3, 5]))
  expect(rows.map((row) => [row.rows, row.cols, row.bits, row.tokens])).toEqual([
    [64, 128, 3, 1],
    [64, 128, 5, 1],
    [48, 40, 3, 1],
    [48, 40, 5, 1],
  ])
  for (const row of rows) {
    expect(row.fraction.median).toBeCloseTo(0.5, 9)
    expect([...row.kernelRounds]).toEqual([1, 1])
  }
  expect(rows[0].gigabytesPerSecond).toBeCloseTo((3 * 64 * 16) / 1e6, 12)
  expect(rows[0].readGigabytesPerSecond).toBeCloseTo((2 * 3 * 64 * 16) / 1e6, 12)
})

test('nothing to measure is refused', async () => {
  const { backend, stepProfile } = timedBackend()
  const options = { stepProfile, readMemory: async () => 1 }
  await expect(benchKernels(backend, { ...options, bits: [] })).rejects.toThrow(InvalidArgumentError)
  await expect(benchKernels(backend, { ...options, tokens: 0 })).rejects.toThrow(/tokens/)
})

test('a program of linears multiplies each with its own bits', async () => {
  const random = createRandom(1)
  const linears = [
    { name: 'a', rows: 4, cols: 32 },
    { name: 'b', rows: 2, cols: 32 },
    { name: 'c', rows: 3, cols: 64 },
  ]
  const program = linearProgram(linears)
  expect(program.inputs).toEqual(['x.32', 'x.64'])
  const weights = new Map(linears.map(({ name, rows, cols }) => [name, fastRandomPlanes(random, rows, cols, 3, 4)]))
  await using compiled = await createReferenceBackend().compile(program, weights)
  using cache = compiled.createCache(1)
  const { outputs, bits } = await compiled.run({
    tokens: Uint32Array.of(0),
    position: 0,
    cache,
    inputs: { [inputOfWidth(32)]: new Float32Array(32).fill(1), [inputOfWidth(64)]: new Float32Array(64).fill(1) },
    outputs: ['a.out', 'b.out', 'c.out'],
  })
  expect([...bits]).toEqual([4, 4, 4])
  expect(Object.values(outputs).map(({ length }) => length)).toEqual([4, 2, 3])
})
