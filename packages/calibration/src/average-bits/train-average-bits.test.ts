import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReferenceBackend, FileFormatError, InvalidArgumentError, mixedProgram } from '@dpllm/core'
import { centralDifference, relativeError, runInF64 } from '@dpllm/core/testing'
import { probeCpu } from '@dpllm/cpu-kernels'
import { decoderProgram, loadModel, type Model, meanBits } from '@dpllm/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { quantizeModel } from '../quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../quantizer/row-quantizer.js'
import { type TinyTensor, writeTinyModel } from '../testing/tiny-model.js'
import { createMixedModel } from './mixed-model.js'
import { meanBitsPenalty, objectiveGradient } from './objective.js'
import type { TrainAverageBitsOptions } from './options.js'
import { averageBitsOf } from './parametrization.js'
import { createAverageBitsTrainer, trainAverageBits } from './train-average-bits.js'

const windows = [
  Uint32Array.of(1, 5, 9, 7, 12, 30),
  Uint32Array.of(1, 3, 8, 4, 20, 11),
  Uint32Array.of(1, 6, 2),
  Uint32Array.of(1, 8, 7, 6, 5, 17),
]

/** So large that the model prefers some tokens to others. */
const confident = ({ data, ...t }: TinyTensor): TinyTensor => ({ ...t, data: data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) })

let models: string
let directory: string
let model: Model
let options: TrainAverageBitsOptions
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'dpllm-average-bits-'))
  await writeTinyModel(join(models, 'original'), { edit: confident })
  await quantizeModel(join(models, 'original'), join(models, 'quantized'), {
    calibrationText: false,
    quantizer: typescriptRowQuantizer(),
  })
  model = await loadModel(join(models, 'quantized'), { backend: createReferenceBackend() })
  // 3 bits, which fixes a linear, to all.
  options = { targetBits: 4.1, maxBits: model.linears.map((_, i) => 3 + (i % 4)), steps: 6, learningRate: 0.1 }
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await rm(models, { recursive: true })
})
beforeEach(async () => {
  directory = await mkdtemp(join(models, 'run-'))
})
afterEach(() => rm(directory, { recursive: true }))

const linearsOf = (maxBits: readonly number[]) =>
  model.linears.map(({ rows, cols, minBits }, i) => ({ weights: rows * cols, minBits, maxBits: maxBits[i] }))
const checkpointIn = (file: string) => ({ file: join(directory, file), fingerprint: 'tiny', everySeconds: 0 })

test('the gradient with respect to z, by differences', async () => {
  const maxBits = model.linears.map((_, i) => 3 + (i % 4))
  const linears = linearsOf(maxBits)
  const z = Float64Array.from(linears, (_, i) => Math.sin(3 * i))
  const penalty = { targetBits: 3.7, alpha: 10 }
  const window = windows[0]

  const program = mixedProgram(decoderProgram(model.config).program)
  const objective = (at: Float64Array) => {
    const p = averageBitsOf(linears, at)
    const inputs = Object.fromEntries(
      model.linears.map(({ module }, i) => [`averageBits:${module}.weight`, Float64Array.of(p[i])]),
    )
    const tokens = window.slice(0, -1)
    const step = { tokens, position: 0, rows: tokens.map((_, row) => row), targets: window.slice(1), outputs: ['loss'] }
    const { loss } = runInF64(program, model.weights, { ...step, inputs }).outputs
    return loss.reduce((a, b) => a + b) / loss.length + meanBitsPenalty(linears, at, penalty)
  }
  const differences = Array.from(z, (value, i) => centralDifference((h) => objective(z.with(i, value + h))))

  await using mixed = await createMixedModel(model, window.length)
  const { loss, gradient } = await mixed.run(window, linears, averageBitsOf(linears, z))
  expect(loss + meanBitsPenalty(linears, z, penalty)).toBeCloseTo(objective(z), 5)
  const found = objectiveGradient(linears, z, gradient, penalty)
  expect(relativeError(found, differences)).toBeLessThan(1e-4)
  linears.forEach(({ maxBits }, i) => {
    expect(found[i] === 0).toBe(maxBits === 3)
  })
})

test('the mean is the target, fixed linears keep their bits, and the trace is of the losses', async () => {
  const stages: string[] = []
  const onProgress = ({ stage, done, total, unit }: { stage: string; done: number; total: number; unit?: string }) =>
    stages.push(`${stage} ${done}/${total} ${unit}`)
  const found = await trainAverageBits(model, windows, { ...options, onProgress })
  const linears = linearsOf(options.maxBits)
  expect(Math.abs(meanBits(linears, found.averageBits) - 4.1)).toBeLessThan(1e-9)
  expect(found.averageBits).toEqual(averageBitsOf(linears, found.z))
  found.averageBits.forEach((p, i) => {
    if (options.maxBits[i] === 3) expect([p, found.z[i]]).toEqual([3, 0])
    else expect(p > 3 && p < options.maxBits[i]).toBe(true)
  })
  expect(new Set(found.averageBits).size).toBeGreaterThan(8)
  expect(found.meanBeforeLanding).not.toBe(4.1)
  expect(found.steps).toBe(6)
  expect(found.lossTrace).toHaveLength(6)
  expect(stages).toEqual(Array.from({ length: 7 }, (_, i) => `average bits 4.1 ${i}/6 steps`))
})

test('training lowers the loss at the target', async () => {
  const maxBits = model.linears.map(() => 6)
  const linears = linearsOf(maxBits)
  const targetBits = 3.5
  const { averageBits } = await trainAverageBits(model, windows, { targetBits, maxBits, steps: 60, learningRate: 0.1 })
  await using mixed = await createMixedModel(model, 6)
  const lossAt = async (p: ArrayLike<number>) => {
    let sum = 0
    for (const window of windows) sum += (await mixed.run(window, linears, p)).loss
    return sum / windows.length
  }
  const even = linears.map(() => targetBits)
  expect(await lossAt(averageBits)).toBeLessThan((await lossAt(even)) - 0.01)
})

test('the penalty draws the mean to the target from either side; without it the mean goes elsewhere', async () => {
  const maxBits = model.linears.map(() => 6)
  const train = (targetBits: number, alpha: number, from: number) =>
    trainAverageBits(model, windows, {
      targetBits,
      maxBits,
      alpha,
      steps: 80,
      learningRate: 0.1,
      weightDecay: 0,
      init: 'random',
      seed: from,
    })
  for (const target of [3.6, 5.2]) {
    const far = Math.abs((await train(target, 0, 1)).meanBeforeLanding - target)
    const near = Math.abs((await train(target, 100, 1)).meanBeforeLanding - target)
    expect(near).toBeLessThan(0.05)
    expect(far).toBeGreaterThan(4 * near)
  }
})

test('the same arguments give the same bytes, another seed others where p begins at random', async () => {
  const random = { ...options, init: 'random' } as const
  const wanted = await trainAverageBits(model, windows, random)
  expect(await trainAverageBits(model, windows, random)).toEqual(wanted)
  expect((await trainAverageBits(model, windows, { ...random, seed: 1 })).averageBits).not.toEqual(wanted.averageBits)
})

test('a trainer serves several targets and budgets, each as if it were alone', async () => {
  await using trainer = await createAverageBitsTrainer(model, 6)
  const other = { ...options, targetBits: 4.6, maxBits: model.linears.map(() => 5) }
  for (const each of [options, other, options])
    expect(await trainer.train(windows, each)).toEqual(await trainAverageBits(model, windows, each))
})

test('a neighbouring target begins where another ended, moved as a whole', async () => {
  const { z } = await trainAverageBits(model, windows, options)
  const warm = await trainAverageBits(model, windows, { ...options, targetBits: 3.6, start: z, steps: 0 })
  const free = [...warm.z.keys()].filter((i) => options.maxBits[i] > 3)
  const shifts = free.map((i) => warm.z[i] - z[i])
  expect(Math.max(...shifts)).toBeLessThan(0)
  expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(1e-12)
  expect(warm.meanBeforeLanding).toBeCloseTo(3.6, 9)
  expect(warm.lossTrace).toEqual([])
})

test('epochs count windows, batches share a step', async () => {
  const { steps: _, ...rest } = options
  expect((await trainAverageBits(model, windows, { ...rest, epochs: 2 })).steps).toBe(8)
  expect((await trainAverageBits(model, windows, { ...rest, epochs: 2, batch: 4 })).steps).toBe(2)
  // One step of all windows: its loss is the mean of theirs.
  const single = await trainAverageBits(model, windows, { ...rest, epochs: 1, learningRate: 0 })
  const together = await trainAverageBits(model, windows, { ...rest, epochs: 1, batch: 4, learningRate: 0 })
  expect(together.lossTrace[0]).toBeCloseTo(single.lossTrace.reduce((a, b) => a + b) / 4, 12)
})

test('an aborted run goes on where it was, to the same bytes; a finished one gives its result at once', async () => {
  const settings = { ...options, steps: 12 }
  const wanted = await trainAverageBits(model, windows, { ...settings, checkpoint: checkpointIn('whole.json') })
  const whole = await readFile(join(directory, 'whole.json'), 'utf8')
  const checkpoint = { ...checkpointIn('state.json'), everySeconds: 1e9 }
  for (const stop of [2, 10]) {
    const controller = new AbortController()
    const run = trainAverageBits(model, windows, {
      ...settings,
      checkpoint,
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === stop) controller.abort(new Error('enough'))
      },
    })
    await expect(run).rejects.toThrow('enough')
    expect(JSON.parse(await readFile(checkpoint.file, 'utf8')).losses).toHaveLength(stop)
  }
  expect(await trainAverageBits(model, windows, { ...settings, checkpoint })).toEqual(wanted)
  expect(await readFile(checkpoint.file, 'utf8')).toBe(whole)
  const done: number[] = []
  expect(await trainAverageBits(model, windows, { ...settings, checkpoint, onProgress: (p) => done.push(p.done) })).toEqual(
    wanted,
  )
  expect(done).toEqual([12])
})

test('a run that was killed goes on from what it wrote last', async () => {
  const wanted = await trainAverageBits(model, windows, options)
  const checkpoint = checkpointIn('state.json')
  // An error of the caller's is no abort: nothing more is written.
  const run = trainAverageBits(model, windows, {
    ...options,
    checkpoint,
    onProgress: ({ done }) => {
      if (done === 4) throw new Error('killed')
    },
  })
  await expect(run).rejects.toThrow('killed')
  expect(JSON.parse(await readFile(checkpoint.file, 'utf8')).losses).toHaveLength(3)
  expect(await trainAverageBits(model, windows, { ...options, checkpoint })).toEqual(wanted)
})

test('checkpoints of other runs and damaged ones are refused', async () => {
  const checkpoint = checkpointIn('state.json')
  await trainAverageBits(model, windows, { ...options, checkpoint })
  const others: [Uint32Array[], Partial<TrainAverageBitsOptions>][] = [
    [windows, { targetBits: 4.2 }],
    [windows, { maxBits: options.maxBits.map((b) => Math.min(b + 1, 6)) }],
    [windows, { steps: 7 }],
    [windows, { seed: 1 }],
    [windows, { start: model.linears.map(() => 0) }],
    [windows.slice(1), {}],
    [[windows[0].with(2, 3), ...windows.slice(1)], {}],
    [windows, { checkpoint: { ...checkpoint, fingerprint: 'another' } }],
  ]
  for (const [texts, change] of others) {
    const error = await trainAverageBits(model, texts, { ...options, checkpoint, ...change }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(FileFormatError)
    expect((error as Error).message).toMatch(/another model, text or settings/)
  }
  const whole = JSON.parse(await readFile(checkpoint.file, 'utf8'))
  const damaged = [
    '{',
    '[]',
    JSON.stringify({ ...whole, z: null }),
    JSON.stringify({ ...whole, z: whole.z.slice(1) }),
    JSON.stringify({ ...whole, square: undefined }),
    JSON.stringify({ ...whole, mean: [...whole.mean, 0] }),
    JSON.stringify({ ...whole, square: whole.square.with(0, -1) }),
    JSON.stringify({ ...whole, losses: Array(7).fill(1) }),
  ]
  for (const text of damaged) {
    await writeFile(checkpoint.file, text)
    await expect(trainAverageBits(model, windows, { ...options, checkpoint }), text.slice(0, 80)).rejects.toThrow(FileFormatError)
  }
})

test('what cannot be trained is refused', async () => {
  const limits = linearsOf(options.maxBits)
  const most = meanBits(limits, options.maxBits)
  const cases: [Partial<TrainAverageBitsOptions>, RegExp][] = [
    [{ targetBits: 3 }, /targetBits: expected a number between 3 and/],
    [{ targetBits: most }, /targetBits/],
    [{ targetBits: Number.NaN }, /targetBits/],
    [{ maxBits: [4, 5] }, /maxBits: expected 14, one for each linear, found 2/],
    [{ maxBits: model.linears.map(() => 9) }, /maxBits\[0\]: expected a whole number from 3 to 8, found 9/],
    [{ maxBits: model.linears.map(() => 3.5) }, /maxBits\[0\]/],
    [{ start: [1] }, /start: expected 14 finite numbers/],
    [{ start: model.linears.map(() => Number.NaN) }, /start/],
    [{ steps: -1 }, /steps/],
    [{ epochs: 0 }, /epochs/],
    [{ batch: 0.5 }, /batch/],
    [{ seed: -1 }, /seed/],
    [{ learningRate: Number.NaN }, /learningRate/],
    [{ alpha: -1 }, /alpha/],
    [{ weightDecay: Number.POSITIVE_INFINITY }, /weightDecay/],
    [{ betas: [0.9, 1] }, /betas/],
    [{ init: 'nowhere' as 'target' }, /init/],
  ]
  for (const [change, message] of cases) {
    const error = await trainAverageBits(model, windows, { ...options, ...change }).catch((e: unknown) => e)
    expect(error, String(message)).toBeInstanceOf(InvalidArgumentError)
    expect((error as Error).message).toMatch(message)
  }
  await expect(trainAverageBits(model, [], options)).rejects.toThrow(/windows: expected at least one/)
  await expect(trainAverageBits(model, [Uint32Array.of(1)], options)).rejects.toThrow(/windows of 2 to 2 tokens, found 1/)
  await expect(trainAverageBits(model, [new Uint32Array(66)], options)).rejects.toThrow(/windows of 2 to 65 tokens, found 66/)
  await using trainer = await createAverageBitsTrainer(model, 3)
  await expect(trainer.train(windows, options)).rejects.toThrow(/windows of 2 to 3 tokens, found 6/)
  await using original = await loadModel(join(models, 'original'), { backend: 'reference' })
  await expect(trainAverageBits(original, windows, options)).rejects.toThrow(/a quantized model/)
})

test('a model that gives no finite numbers is an error', async () => {
  await using damaged = await loadModel(join(models, 'quantized'), { backend: createReferenceBackend() })
  const norm = damaged.weights.get('model.norm.weight')!
  if ('data' in norm) norm.data.fill(Number.NaN)
  await expect(trainAverageBits(damaged, windows, options)).rejects.toThrow(/step 0: loss or gradient is no finite number/)
})

test.skipIf(!probeCpu().ok)('the CPU kernels find what the reference finds', async () => {
  await using native = await loadModel(join(models, 'quantized'), { backend: 'cpu', arithmetic: 'precise' })
  const wanted = await trainAverageBits(model, windows, options)
  const { averageBits } = await trainAverageBits(native, windows, options)
  expect(relativeError(averageBits, wanted.averageBits)).toBeLessThan(1e-3)
})
