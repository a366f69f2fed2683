import { join } from 'node:path'
import {
  averageBitsName,
  createReferenceBackend,
  gradientName,
  gradientProgram,
  isBitPlanes,
  matrixShape,
  mixedProgram,
  type Operator,
  type Program,
  type Step,
  staticPolicy,
  type Weight,
} from '@dpllm/core'
import { openCheckpoint, readText } from '@dpllm/core/node'
import { randomBitPlanes, relativeError, runInF64 } from '@dpllm/core/testing'
import { createCpuBackend, probeCpu } from '@dpllm/cpu-kernels'
import { describe, expect, test } from 'vitest'
import { parseModelConfig, readModelConfig } from '../config/read-config.js'
import { readWeights } from '../load/read-weights.js'
import { loadTokenizer } from '../text/tokenizer.js'
import { decoderProgram } from './decoder.js'
import { familyCases } from './testing/family-cases.js'
import { randomModel, randomTokens } from './testing/random-model.js'
import { stateDict } from './testing/state-dict.js'

const data = process.env.DPLLM_DATA

/** A step whose loss is that of the next tokens. */
function nextTokens(ids: Uint32Array): Omit<Step, 'cache'> {
  const tokens = ids.slice(0, -1)
  return { tokens, position: 0, rows: tokens.map((_, row) => row), targets: ids.slice(1) }
}

/** Matrices that a program multiplies with. */
function linearsOf({ operators }: Program): string[] {
  return operators.flatMap((op) => (op.kind === 'linear' || op.kind === 'mixedLinear' ? [op.weight] : []))
}

/** As in the operator's cases; of any other operator 0. */
function attentionRoundings(op: Operator, T: number): number {
  if (op.kind !== 'attentionGradient') return 0
  return 2 * 9 * Math.sqrt(op.headDim / 2) + Math.sqrt((T * op.heads) / op.kvHeads / 2) + 16
}

/**
 * The outputs and accumulators of a gradient program on the CPU backend, compared with f64. The reference rounds each value
 * once; its distance from f64 shows what the model makes of one rounding. For each operator, its case allows a backend some
 * roundings: the most are those of attentionGradient.
 */
async function expectAsReference(program: Program, weights: ReadonlyMap<string, Weight>, step: Omit<Step, 'cache'>) {
  const exact = runInF64(program, weights, step)
  const results = []
  for (const backend of [createReferenceBackend(), createCpuBackend({ threads: 2, arithmetic: 'precise' })]) {
    await using open = backend
    await using compiled = await open.compile(program, weights)
    using cache = compiled.createCache(step.tokens.length)
    const found: Record<string, Float32Array> = { ...(await compiled.run({ ...step, cache })).outputs }
    for (const { name } of program.accumulators ?? []) found[name] = await compiled.accumulator(name)
    results.push(found)
  }
  const roundings = Math.max(...program.operators.map((op) => attentionRoundings(op, step.tokens.length)))
  const wanted = joined({ ...exact.outputs, ...exact.accumulators })
  const [reference, cpu] = results.map(joined)
  for (const [name, values] of Object.entries(wanted)) {
    const once = relativeError(reference[name], values)
    expect(relativeError(cpu[name], values), name).toBeLessThan(roundings * once)
  }
}

/** With all single numbers as one vector: the error of one alone may be small by chance. */
function joined(values: Readonly<Record<string, Float32Array | Float64Array>>): Record<string, ArrayLike<number>> {
  const singles = Object.values(values).filter(({ length }) => length === 1)
  const others = Object.entries(values).filter(([, { length }]) => length !== 1)
  return { ...Object.fromEntries(others), ...(singles.length > 0 ? { singles: singles.map(([value]) => value) } : {}) }
}

describe.skipIf(!probeCpu().ok)('gradients on the CPU backend', () => {
  test.each(familyCases)('$name', async ({ config: json, contextLength }) => {
    const config = parseModelConfig(json, 'config.json', contextLength === undefined ? {} : { contextLength })
    const { program, frequencies } = decoderProgram(config)
    const weights = new Map<string, Weight>(randomModel(json, 5))
    weights.set(frequencies, { dtype: 'f32', shape: [config.rope.frequencies.length], data: config.rope.frequencies })
    const modes = [...new Set(linearsOf(program))].flatMap((weight) =>
      (['sum', 'squares'] as const).map((mode) => ({ weight, mode })),
    )
    const reverse = gradientProgram(program, { loss: 'loss', of: ['embedding'], weights: modes })
    const step = nextTokens(randomTokens(50, config.vocabularySize, 6))
    await expectAsReference(reverse, weights, { ...step, outputs: ['loss', gradientName('embedding')] })
  })

  test('a quantized model: tables, and average bits', async () => {
    const json = familyCases[0].config
    const modules = stateDict(json).flatMap(([name]) => (name.includes('_proj') ? [name.replace(/\.weight$/, '')] : []))
    const quantizedModules = Object.fromEntries(modules.map((module) => [module, { bits: [3, 4, 5] }]))
    const config = parseModelConfig({ ...json, dpllm: { format: 1, seedBits: 3, maxBits: 5, quantizedModules } }, 'config.json')
    const { program, frequencies } = decoderProgram(config)
    const weights = new Map<string, Weight>(randomModel(json, 5))
    weights.set(frequencies, { dtype: 'f32', shape: [config.rope.frequencies.length], data: config.rope.frequencies })
    for (const [i, module] of modules.entries()) {
      const [rows, cols] = matrixShape(weights.get(`${module}.weight`)!)
      weights.set(`${module}.weight`, randomBitPlanes(i, rows, cols, 3, 5))
    }
    const planes = linearsOf(program).filter((name) => isBitPlanes(weights.get(name)!))
    const step = nextTokens(randomTokens(50, config.vocabularySize, 6))
    const tables = planes.map((weight) => ({ weight, mode: 'tables', seedBits: 3, maxBits: 5 }) as const)
    const policy = staticPolicy(planes.map((_, i) => 3 + (i % 3)))
    const outputs = ['loss', gradientName('embedding')]
    await expectAsReference(gradientProgram(program, { loss: 'loss', of: ['embedding'], weights: tables }), weights, {
      ...step,
      policy,
      outputs,
    })

    const averages = planes.map(averageBitsName)
    const reverse = gradientProgram(mixedProgram(program), { loss: 'loss', of: ['embedding', ...averages] })
    const inputs = Object.fromEntries(averages.map((name, i) => [name, Float32Array.of(3 + (i % 9) / 4)]))
    await expectAsReference(reverse, weights, { ...step, inputs, outputs: [...outputs, ...averages.map(gradientName)] })
  })

  test.skipIf(!data)('stories260K', async () => {
    const directory = join(data!, 'stories260K')
    const config = await readModelConfig(directory)
    const decoder = decoderProgram(config)
    await using checkpoint = await openCheckpoint(directory)
    const tokenizer = await loadTokenizer(directory)
    const story = await readText(join(data!, 'tinystories', 'train-2MiB.txt'))
    const weights = await readWeights(checkpoint, config, decoder)
    const step = nextTokens(Uint32Array.from(tokenizer.encode(story.slice(0, 2000))).slice(0, 257))
    const modes = linearsOf(decoder.program).flatMap((weight) => (['sum', 'squares'] as const).map((mode) => ({ weight, mode })))
    const reverse = gradientProgram(decoder.program, { loss: 'loss', lossScale: 1 / 256, of: ['embedding'], weights: modes })
    await expectAsReference(reverse, weights, { ...step, outputs: ['loss', gradientName('embedding')] })
  })
})
