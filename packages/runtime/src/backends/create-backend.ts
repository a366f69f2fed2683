import { type Backend, BackendUnavailableError, createReferenceBackend } from '@dpllm/core'
import { createCpuBackend, probeCpu } from '@dpllm/cpu-kernels'
import { probeCuda } from '@dpllm/cuda-kernels'

export type BackendName = 'cpu' | 'cuda' | 'reference'

export interface BackendOptions {
  /** CPU threads; default one for each core that this process may use. */
  readonly threads?: number | undefined
  /**
   * CPU arithmetic of products with bit-planes: `fast` takes activations as 8-bit integers with one scale for 32
   * columns, `precise` as 16-bit ones.
   */
  readonly arithmetic?: 'fast' | 'precise' | undefined
}

/** Whether a backend can be used here, and if not, why. */
export interface BackendProbe {
  readonly name: BackendName
  readonly usable: boolean
  /** What it would run on, or the reason why it cannot. */
  readonly detail: string
}

/** All backends, in the order in which `auto` tries them. Never throws. */
export function probeBackends(): BackendProbe[] {
  const cuda = probeCuda()
  const cpu = probeCpu()
  return [
    // Its kernels are not there yet, so that a device alone does not make it usable.
    {
      name: 'cuda',
      usable: false,
      detail: cuda.ok ? `${cuda.devices} device(s), but this version has no CUDA kernels yet` : cuda.reason,
    },
    { name: 'cpu', usable: cpu.ok, detail: cpu.ok ? `${cpu.instructions}, ${cpu.threads} threads, ${cpu.origin}` : cpu.reason },
    { name: 'reference', usable: true, detail: 'plain TypeScript, one thread' },
  ]
}

/**
 * Makes a backend; `auto` takes the first usable one of cuda, cpu, reference.
 * @throws BackendUnavailableError if the one asked for cannot be used
 */
export function createBackend(choice: BackendName | 'auto' = 'auto', options: BackendOptions = {}): Backend {
  const name = choice === 'auto' ? probeBackends().find((probe) => probe.usable)!.name : choice
  if (name === 'reference') return createReferenceBackend()
  if (name === 'cpu') return createCpuBackend(options)
  throw new BackendUnavailableError(name, probeBackends().find((probe) => probe.name === name)?.detail ?? 'it is not known')
}
