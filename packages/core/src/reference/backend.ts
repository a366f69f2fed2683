import type { Backend, CompiledProgram, KeyValueCache, Step, StepResult } from '../backend/backend.js'
import { checkEstimators } from '../backend/check-policy.js'
import type { Estimator } from '../backend/policy.js'
import { checkStep } from '../backend/step.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import { checkProgram, rowWidth } from '../program/check.js'
import type { Operator, Select } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { lastReads, neededOperators } from '../program/prune.js'
import { matrixShape, type Weights } from '../program/weights.js'
import { attention, type CacheLayer } from './attention.js'
import { createDenseWeights, linear } from './linear.js'
import { add, crossEntropy, embed, gate, rmsNorm, rope, split, take } from './operators.js'
import { select, selectorAt } from './select.js'

class ReferenceCache implements KeyValueCache {
  readonly layers: CacheLayer[]

  constructor(
    readonly capacity: number,
    program: Program,
  ) {
    this.layers = program.caches.map(({ width }) => ({
      keys: new Float32Array(capacity * width),
      values: new Float32Array(capacity * width),
    }))
  }

  [Symbol.dispose](): void {
    this.layers.length = 0
  }
}

/**
 * The plain TypeScript backend: the oracle of every other backend's tests, and what runs where nothing native does,
 * browsers included. Values are f32; sums are taken in f64 and rounded once.
 */
export function createReferenceBackend(): Backend {
  return {
    name: 'reference',
    description: 'plain TypeScript, one thread',
    compile: async (program, weights) => compile(program, weights),
    [Symbol.asyncDispose]: async () => {},
  }
}

function compile(program: Program, weights: Weights): CompiledProgram {
  checkProgram(program, weights)
  const dense = createDenseWeights()
  const selects = program.operators.filter((op): op is Select => op.kind === 'select')
  const embedding = program.operators.find((op) => op.kind === 'embed')
  const vocabulary = embedding === undefined ? Number.POSITIVE_INFINITY : matrixShape(weights.get(embedding.table)!)[0]
  const selectWeights = selects.map((op) => weights.get(op.weight) as BitPlaneWeight)
  const checkedEstimators = new WeakSet<readonly Estimator[]>()

  const run = async (given: Step): Promise<StepResult> => {
    const step = checkStep(given, vocabulary, selects.length)
    const { tokens, position, rows, policy } = step
    if (policy !== undefined && !checkedEstimators.has(policy.estimators)) {
      checkEstimators(policy.estimators, selectWeights)
      checkedEstimators.add(policy.estimators)
    }
    const T = tokens.length
    const cache = step.cache as ReferenceCache
    const result = { bits: new Uint8Array(selects.length * T), estimates: new Float32Array(selects.length * T) }
    const values = new Map<string, Float32Array>()
    const bitCounts = new Map<string, Uint8Array>()
    const order = neededOperators(program, step.outputs)
    const last = lastReads(program, order, step.outputs)

    const make = (name: string) => {
      const { shape } = program.values[name]
      const array = new Float32Array(
        (shape[0] === 'T' ? T : shape[0] === 'R' ? rows.length : (shape[0] as number)) * rowWidth(shape),
      )
      values.set(name, array)
      return array
    }
    const value = (name: string) => values.get(name)!
    const weight = (name: string) => weights.get(name)!

    const execute = (op: Operator) => {
      switch (op.kind) {
        case 'embed':
          return embed(tokens, dense.get(weight(op.table)), make(op.out))
        case 'rmsNorm':
          return rmsNorm(value(op.x), dense.get(weight(op.weight)), op.eps, make(op.out))
        case 'linear': {
          const count = program.values[op.x].shape[0] === 'R' ? rows.length : T
          const bias = op.bias === undefined ? undefined : weight(op.bias)
          const bits = op.bits === undefined ? undefined : bitCounts.get(op.bits)
          return linear(dense, weight(op.weight), bias, value(op.x), bits, make(op.out), count)
        }
        case 'select': {
          const index = selects.indexOf(op)
          const bits = result.bits.subarray(index * T, (index + 1) * T)
          const estimates = result.estimates.subarray(index * T, (index + 1) * T)
          bitCounts.set(op.bits, bits)
          const selector = policy === undefined ? undefined : selectorAt(policy, index)
          return select(dense, weight(op.weight) as BitPlaneWeight, selector, value(op.x), bits, estimates)
        }
        case 'rope':
          return rope(value(op.x), dense.get(weight(op.frequencies)), op.headDim, op.scale, position, T, make(op.out))
        case 'attention':
          return attention(op, value(op.q), value(op.k), value(op.v), cache.layers[op.layer], position, T, make(op.out))
        case 'gate':
          return gate(value(op.gate), value(op.up), op.activation, make(op.out))
        case 'add':
          return add(value(op.a), value(op.b), make(op.out))
        case 'split':
          return split(value(op.x), T, op.outs.map(make))
        case 'take':
          return take(value(op.x), rows, rowWidth(program.values[op.x].shape), make(op.out))
        case 'crossEntropy': {
          if (step.targets === undefined) throw new InvalidArgumentError('targets', 'one id for each of rows', undefined)
          return crossEntropy(value(op.logits), step.targets, make(op.out))
        }
      }
    }

    for (let i = 0; i < order.length; i++) {
      execute(program.operators[order[i]])
      for (const name of values.keys()) if ((last.get(name) ?? i) <= i) values.delete(name)
    }
    return { ...result, outputs: Object.fromEntries(step.outputs.map((name) => [name, value(name)])) }
  }

  return {
    selects: selects.map((op) => op.weight),
    createCache: (capacity) => new ReferenceCache(capacity, program),
    run,
    [Symbol.asyncDispose]: async () => {},
  }
}
