import type { KeyValueCache, Step, StepResult } from '../backend/backend.js'
import { checkEstimators } from '../backend/check-policy.js'
import type { Estimator } from '../backend/policy.js'
import { checkStep } from '../backend/step.js'
import { checkStepInputs, elementsOf } from '../backend/step-inputs.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import { checkProgram } from '../program/check.js'
import { type Operator, type Select, weightsOf } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { lastReads, neededOperators } from '../program/prune.js'
import { rowWidth } from '../program/shape-checks.js'
import { matrixShape, type Weights } from '../program/weights.js'
import { attention, type CacheLayer } from './attention.js'
import { executeGradient } from './execute-gradient.js'
import type { Floats, FloatsConstructor } from './floats.js'
import { createDenseWeights, linear } from './linear.js'
import { add, crossEntropy, embed, gate, rmsNorm, rope, split, take } from './operators.js'
import { select, selectorAt } from './select.js'

/** A step whose inputs may be f64. */
export type ReferenceStep = Omit<Step, 'inputs'> & { readonly inputs?: Readonly<Record<string, Floats>> | undefined }

/** Its result; outputs are what the program was compiled for, f32 or f64. */
export type ReferenceResult = Omit<StepResult, 'outputs'> & { readonly outputs: Readonly<Record<string, Floats>> }

/** A program compiled for the reference, which runs a step at once. */
export interface ReferenceProgram {
  readonly selects: readonly string[]
  readonly accumulators: ReadonlyMap<string, Floats>
  createCache(capacity: number): KeyValueCache
  run(step: ReferenceStep): ReferenceResult
  /** As of `CompiledProgram`, at once. */
  updateWeights(names: readonly string[]): void
}

class ReferenceCache implements KeyValueCache {
  readonly layers: CacheLayer[]

  constructor(
    readonly capacity: number,
    program: Program,
    FloatArray: FloatsConstructor,
  ) {
    try {
      this.layers = program.caches.map(({ width }) => ({
        keys: new FloatArray(capacity * width),
        values: new FloatArray(capacity * width),
      }))
    } catch {
      throw new InvalidArgumentError('capacity', 'one that there is memory for (fewer tokens, or a shorter context)', capacity)
    }
  }

  [Symbol.dispose](): void {
    this.layers.length = 0
  }
}

/**
 * @param FloatArray what values between operators are rounded to; inside operators, sums are f64 either way
 * @throws InvalidArgumentError if shapes do not fit
 */
export function compileReference(program: Program, weights: Weights, FloatArray: FloatsConstructor): ReferenceProgram {
  checkProgram(program, weights)
  const dense = createDenseWeights()
  const used = new Set(program.operators.flatMap(weightsOf))
  const selects = program.operators.filter((op): op is Select => op.kind === 'select')
  const embedding = program.operators.find((op) => op.kind === 'embed')
  const vocabulary = embedding === undefined ? Number.POSITIVE_INFINITY : matrixShape(weights.get(embedding.table)!)[0]
  const selectWeights = selects.map((op) => weights.get(op.weight) as BitPlaneWeight)
  const selectWidths = selects.map((op) => rowWidth(program.values[op.x].shape))
  const checkedEstimators = new WeakSet<readonly Estimator[]>()
  const accumulators = new Map(program.accumulators?.map(({ name, shape: [rows, cols] }) => [name, new FloatArray(rows * cols)]))

  const run = (given: ReferenceStep): ReferenceResult => {
    const step = checkStep(given as Step, vocabulary, selects.length)
    const { tokens, position, rows, policy } = step
    if (policy !== undefined && !checkedEstimators.has(policy.estimators)) {
      checkEstimators(policy.estimators, selectWeights, selectWidths)
      checkedEstimators.add(policy.estimators)
    }
    const T = tokens.length
    const cache = step.cache as ReferenceCache
    const result = { bits: new Uint8Array(selects.length * T), estimates: new Float32Array(selects.length * T) }
    const values = new Map<string, Floats>()
    const bitCounts = new Map<string, Uint8Array>()
    const order = neededOperators(program, step.outputs)
    const last = lastReads(program, order, step.outputs)
    checkStepInputs(step, program, order)

    const make = (name: string) => {
      const array = new FloatArray(elementsOf(program, name, T, rows.length))
      values.set(name, array)
      return array
    }
    const value = (name: string) => values.get(name)!
    const weight = (name: string) => weights.get(name)!
    const bitsOf = (name: string | undefined) => (name === undefined ? undefined : bitCounts.get(name))
    const rowsOf = (name: string) => (program.values[name].shape[0] === 'R' ? rows.length : T)
    const accumulator = (name: string) => accumulators.get(name)!
    for (const name of program.inputs ?? []) make(name).set(step.inputs![name])

    const execute = (op: Operator) => {
      switch (op.kind) {
        case 'embed':
          return embed(tokens, dense.get(weight(op.table)), make(op.out))
        case 'rmsNorm':
          return rmsNorm(value(op.x), dense.get(weight(op.weight)), op.eps, make(op.out))
        case 'linear': {
          const bias = op.bias === undefined ? undefined : weight(op.bias)
          return linear(dense, weight(op.weight), bias, value(op.x), bitsOf(op.bits), make(op.out), rowsOf(op.x))
        }
        case 'select': {
          const index = selects.indexOf(op)
          const bits = result.bits.subarray(index * T, (index + 1) * T)
          const estimates = result.estimates.subarray(index * T, (index + 1) * T)
          bitCounts.set(op.bits, bits)
          const selector = policy === undefined ? undefined : selectorAt(policy, index)
          select(dense, weight(op.weight) as BitPlaneWeight, selector, value(op.x), bits, estimates)
          return make(op.estimate).set(estimates)
        }
        case 'rope': {
          const frequencies = dense.get(weight(op.frequencies))
          return rope(value(op.x), frequencies, op.headDim, op.scale, position, T, make(op.out), op.transposed)
        }
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
        case 'crossEntropy':
          return crossEntropy(value(op.logits), step.targets!, make(op.out))
        default:
          return executeGradient(op, { dense, step, value, make, weight, bitsOf, rowsOf, accumulator })
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
    accumulators,
    createCache: (n) => new ReferenceCache(n, program, FloatArray),
    run,
    updateWeights: (names) => {
      for (const name of names) {
        if (!used.has(name)) throw new InvalidArgumentError('weights', "names of the program's weights", name)
        dense.forget(weights.get(name)!)
      }
    },
  }
}
