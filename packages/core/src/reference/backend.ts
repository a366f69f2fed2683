import type { Backend, CompiledProgram, StepResult } from '../backend/backend.js'
import { InvalidArgumentError } from '../errors.js'
import type { Program } from '../program/program.js'
import type { Weights } from '../program/weights.js'
import { compileReference } from './compiled-program.js'

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

/** Gives timers, signals and other events their turn: a step computes without a pause. Calls return in their order. */
function otherEvents(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve)
  })
}

function compile(program: Program, weights: Weights): CompiledProgram {
  const { selects, accumulators, createCache, run, updateWeights } = compileReference(program, weights, Float32Array)
  const accumulator = (name: string) => {
    const found = accumulators.get(name)
    if (found === undefined) throw new InvalidArgumentError('accumulator', "names of the program's accumulators", name)
    return found as Float32Array
  }
  return {
    selects,
    createCache,
    run: async (step) => {
      await otherEvents()
      return run(step) as StepResult
    },
    accumulator: async (name) => {
      await otherEvents()
      return accumulator(name).slice()
    },
    setAccumulator: async (name, data) => {
      await otherEvents()
      const found = accumulator(name)
      if (data.length !== found.length) throw new InvalidArgumentError(name, `${found.length} values`, data.length)
      found.set(data)
    },
    updateWeights: async (names) => {
      await otherEvents()
      updateWeights(names)
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
