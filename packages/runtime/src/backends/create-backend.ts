import { type Backend, BackendUnavailableError, createReferenceBackend, type StepProfile } from '@dpllm/core'
import { createCpuBackend, probeCpu } from '@dpllm/cpu-kernels'
import { createCudaBackend, probeCuda } from '@dpllm/cuda-kernels'

export type BackendName = 'cpu' | 'cuda' | 'reference'

export interface BackendOptions {
  /** CPU threads; default one for each core that this process may use. */
  readonly threads?: number | undefined
  /**
   * CPU arithmetic of products with bit-planes: `fast` takes activations as 8-bit integers with one scale for 32
   * columns, `precise` as 16-bit ones.
   */
  readonly arithmetic?: 'fast' | 'precise' | undefined
  /** Type of cached keys and values on the CPU: `f16` halves what attention reads of a long context. Default `f32`. */
  readonly cache?: 'f32' | 'f16' | undefined
  /** Is told where the time of all steps goes; by the CPU backend only. */
  readonly stepProfile?: StepProfile | undefined
}

/** Whether a backend can be used here, and if not, why. */
export interface BackendProbe {
  readonly name: BackendName
  readonly usable: boolean
  /** What it would run on, or the reason why it cannot. */
  readonly detail: string
}

/** All backends. Never throws. */
export function probeBackends(): BackendProbe[] {
  const cuda = probeCuda()
  const cpu = probeCpu()
  return [
    {
      name: 'cuda',
      usable: cuda.ok,
      detail: cuda.ok ? `${cuda.devices.map(({ name }) => name).join(', ')}, ${cuda.origin}` : cuda.reason,
    },
    { name: 'cpu', usable: cpu.ok, detail: cpu.ok ? `${cpu.instructions}, ${cpu.threads} threads, ${cpu.origin}` : cpu.reason },
    { name: 'reference', usable: true, detail: 'plain TypeScript, one thread' },
  ]
}

/**
 * What `auto` takes: the CPU's kernels where there are some. CUDA's are tested on the host only and as plain as can be: who asks
 * for them gets them.
 */
export function automaticBackend(): BackendName {
  return probeCpu().ok ? 'cpu' : 'reference'
}

/**
 * Makes a backend; `auto` takes what `automaticBackend` says.
 * @throws BackendUnavailableError if the one asked for cannot be used
 */
export function createBackend(choice: BackendName | 'auto' = 'auto', options: BackendOptions = {}): Backend {
  const name = choice === 'auto' ? automaticBackend() : choice
  if (name === 'reference') return createReferenceBackend()
  if (name === 'cpu') return createCpuBackend(options)
  if (name === 'cuda') return createCudaBackend()
  throw new BackendUnavailableError(name, probeBackends().find((probe) => probe.name === name)?.detail ?? 'it is not known')
}
