import { InvalidArgumentError } from '@dpllm/core'

export interface CudaBackendOptions {
  /** Index of the GPU; default DPLLM_CUDA_DEVICE, else 0. */
  readonly device?: number | undefined
  /** Type of cached keys and values; default f16. */
  readonly cache?: 'f16' | 'f32' | undefined
  /**
   * Whether steps that are alike (the same outputs, cache, policy and number of tokens) are recorded once and launched as
   * one CUDA graph; default false.
   */
  readonly graphs?: boolean | undefined
}

/** Options with the environment's and the defaults filled in. */
export interface CudaSettings {
  readonly device: number
  readonly cache: 'f16' | 'f32'
  readonly graphs: boolean
}

/** @throws InvalidArgumentError */
export function resolveSettings(options: CudaBackendOptions = {}, env: NodeJS.ProcessEnv = process.env): CudaSettings {
  const device = options.device ?? (env.DPLLM_CUDA_DEVICE ? Number(env.DPLLM_CUDA_DEVICE) : 0)
  if (!Number.isInteger(device) || device < 0) {
    const argument = options.device === undefined ? 'DPLLM_CUDA_DEVICE' : 'device'
    throw new InvalidArgumentError(argument, 'the index of a GPU', options.device ?? env.DPLLM_CUDA_DEVICE)
  }
  const { cache = 'f16', graphs = false } = options
  if (!['f16', 'f32'].includes(cache)) throw new InvalidArgumentError('cache', 'f16 or f32', cache)
  return { device, cache, graphs }
}
