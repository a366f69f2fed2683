import {
  accumulatorName,
  type BitPlaneWeight,
  type CompiledProgram,
  distillationProgram,
  gradientProgram,
  type Policy,
  type Weights,
} from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'

/** A quantized model beside its original, which it learns from; all windows have the same length. */
export interface Distillation extends AsyncDisposable {
  /** The student's weights of select operators, in order: what bits are given for. */
  readonly linears: readonly string[]
  readonly weights: Weights
  /** Mean KL divergence (teacher ‖ student) over a window's tokens, in nats, for each policy. */
  divergences(window: Uint32Array, policies: readonly Policy[]): Promise<number[]>
  /** Adds a window's part of the gradient of the mean divergence over a batch to the accumulators. */
  accumulate(window: Uint32Array, policy: Policy): Promise<void>
  /** f32 [rows, tableEntries(weight)] of a weight: the gradient so far, which begins anew at zero. */
  takeGradient(weight: string): Promise<Float32Array>
  /** Says that these weights' tables have been changed in place. */
  update(weights: readonly string[]): Promise<void>
}

export interface DistillationOptions {
  readonly teacher: Model
  readonly student: Model
  /** Tokens of every window. */
  readonly length: number
  /** Windows whose mean the gradient is of. */
  readonly batch: number
  readonly signal?: AbortSignal | undefined
}

/** Compiles what distillation runs, on the student's backend. */
export async function createDistillation(options: DistillationOptions): Promise<Distillation> {
  const { teacher, student, length, batch, signal } = options
  const { weights, backend } = student
  const program = distillationProgram(decoderProgram(student.config).program)
  const names = student.linears.map(({ module }) => `${module}.weight`)
  const gradients = names.map((weight) => {
    const { seedBits, maxBits } = weights.get(weight) as BitPlaneWeight
    return { weight, mode: 'tables', seedBits, maxBits } as const
  })
  const reverse = gradientProgram(program, { loss: 'divergence', lossScale: 1 / (batch * length), weights: gradients })
  const forward = await backend.compile(program, weights)
  const backward = await backend.compile(reverse, weights)

  const rows = Uint32Array.from({ length }, (_, row) => row)
  const cacheOf = (model: Pick<CompiledProgram, 'createCache'>) => model.createCache(length)
  const caches = { teacher: cacheOf(teacher), forward: cacheOf(forward), backward: cacheOf(backward) }
  const teach = async (tokens: Uint32Array) => {
    const { outputs } = await teacher.run({ tokens, position: 0, cache: caches.teacher, rows, outputs: ['logits'], signal })
    return { teacher: outputs.logits }
  }
  return {
    linears: names,
    weights,
    divergences: async (tokens, policies) => {
      const inputs = await teach(tokens)
      const means: number[] = []
      for (const policy of policies) {
        const step = { tokens, position: 0, cache: caches.forward, rows, inputs, policy, signal }
        const { outputs } = await forward.run({ ...step, outputs: ['divergence'] })
        means.push(mean(outputs.divergence))
      }
      return means
    },
    accumulate: async (tokens, policy) => {
      const inputs = await teach(tokens)
      // The gradient needs no divergence: without outputs it is not computed.
      await backward.run({ tokens, position: 0, cache: caches.backward, rows, inputs, outputs: [], policy, signal })
    },
    takeGradient: async (weight) => {
      const name = accumulatorName({ weight, mode: 'tables' })
      const gradient = await backward.accumulator(name)
      await backward.setAccumulator(name, new Float32Array(gradient.length))
      return gradient
    },
    update: async (changed) => {
      await forward.updateWeights(changed)
      await backward.updateWeights(changed)
    },
    [Symbol.asyncDispose]: async () => {
      for (const cache of Object.values(caches)) cache[Symbol.dispose]()
      await forward[Symbol.asyncDispose]()
      await backward[Symbol.asyncDispose]()
    },
  }
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
