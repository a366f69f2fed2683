import { availableParallelism } from 'node:os'
import { InvalidArgumentError, type StepProfile } from '@dpllm/core'

/** Instruction sets that kernels are written for; `auto` is the best that the machine has. */
const instructionSets = ['auto', 'generic', 'avx2', 'avx512', 'neon'] as const
export type Instructions = (typeof instructionSets)[number]

export interface CpuBackendOptions {
  /** Default: DPLLM_THREADS, else one for each core that this process may use. */
  readonly threads?: number | undefined
  /** Default: DPLLM_CPU_INSTRUCTIONS, else `auto`. */
  readonly instructions?: Instructions | undefined
  /**
   * Products with bit-planes: `fast` (default) rounds activations to 8 bits, one scale per 32 columns, an error of some
   * 0.5 %; `precise` to 16 bits, 5e-5. Both round centroids to 16 bits. More than 4 rows use f32 where this is `precise`
   * or the instruction set is not AVX-512.
   */
  readonly arithmetic?: 'fast' | 'precise' | undefined
  /** Type of cached keys and values; default f32. */
  readonly cache?: 'f32' | 'f16' | undefined
  /** Is told where the time of all steps goes; measuring costs some 50 ns for each operator. */
  readonly stepProfile?: StepProfile | undefined
}

/** More threads than any machine has; a larger number is a mistake. */
export const MAX_THREADS = 1024

/** Options with the environment's and the defaults filled in. */
export interface CpuSettings {
  readonly threads: number
  readonly instructions: Instructions
  readonly arithmetic: 'fast' | 'precise'
  readonly cache: 'f32' | 'f16'
}

/** @throws InvalidArgumentError */
export function resolveSettings(options: CpuBackendOptions = {}, env: NodeJS.ProcessEnv = process.env): CpuSettings {
  const threads = options.threads ?? (env.DPLLM_THREADS ? Number(env.DPLLM_THREADS) : availableParallelism())
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new InvalidArgumentError(
      options.threads === undefined ? 'DPLLM_THREADS' : 'threads',
      `an integer from 1 to ${MAX_THREADS}`,
      options.threads ?? env.DPLLM_THREADS,
    )
  }
  const instructions = options.instructions ?? (env.DPLLM_CPU_INSTRUCTIONS || 'auto')
  if (!(instructionSets as readonly string[]).includes(instructions)) {
    throw new InvalidArgumentError(
      options.instructions === undefined ? 'DPLLM_CPU_INSTRUCTIONS' : 'instructions',
      `one of ${instructionSets.join(', ')}`,
      instructions,
    )
  }
  const { arithmetic = 'fast', cache = 'f32' } = options
  if (!['fast', 'precise'].includes(arithmetic)) throw new InvalidArgumentError('arithmetic', 'fast or precise', arithmetic)
  if (!['f32', 'f16'].includes(cache)) throw new InvalidArgumentError('cache', 'f32 or f16', cache)
  return { threads, instructions: instructions as Instructions, arithmetic, cache }
}
