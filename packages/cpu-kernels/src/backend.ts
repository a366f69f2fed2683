import {
  type Backend,
  BackendUnavailableError,
  type CompiledProgram,
  type Program,
  type StepProfile,
  type Weights,
} from '@dpllm/core'
import { floatTypes, type LoweredProgram, lowerProgram, NativeCompiledProgram, type NativeProgram } from '@dpllm/core/native'
import { loadAddon } from './load-addon.js'
import type { NativeAddon, NativeBackend } from './native-types.js'
import { programTimer } from './program-timer.js'
import { type CpuBackendOptions, resolveSettings } from './settings.js'

/**
 * The native CPU backend: every step is one native call on threads of its own.
 * @throws BackendUnavailableError if the addon cannot be loaded or the machine lacks the instruction set
 * @throws InvalidArgumentError for options that make no sense
 */
export function createCpuBackend(options: CpuBackendOptions = {}): Backend {
  const { threads, instructions, arithmetic, cache } = resolveSettings(options)
  const { addon, origin } = loadAddon()
  const available = addon.instructions()
  const used = instructions === 'auto' ? available[0] : instructions
  if (!available.includes(used)) {
    throw new BackendUnavailableError('cpu', `no ${used} instructions; this machine and build have ${available.join(', ')}`)
  }
  let native: NativeBackend
  try {
    native = addon.createBackend(used, threads, arithmetic === 'fast' ? 8 : 16, floatTypes[cache])
  } catch (cause) {
    throw new BackendUnavailableError('cpu', `${threads} threads: ${(cause as Error).message}`, { cause })
  }
  const description = `${used}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${arithmetic} arithmetic, ${origin}`
  return new CpuBackend(description, addon, native, options.stepProfile)
}

class CpuBackend implements Backend {
  readonly name = 'cpu'
  #disposed = false

  constructor(
    readonly description: string,
    private readonly addon: NativeAddon,
    private readonly native: NativeBackend,
    private readonly stepProfile: StepProfile | undefined,
  ) {}

  async compile(program: Program, weights: Weights): Promise<CompiledProgram> {
    if (this.#disposed) throw new BackendUnavailableError('cpu', 'it has been disposed')
    const lowered = lowerProgram(program, weights)
    const timer = this.stepProfile && programTimer(program, this.stepProfile)
    const native = this.#compile(lowered, timer?.times)
    return new NativeCompiledProgram(program, weights, {
      backend: 'cpu',
      binding: this.addon,
      native,
      lowered,
      onStep: timer?.stepDone,
    })
  }

  #compile({ description }: LoweredProgram, times: Float64Array | undefined): NativeProgram {
    try {
      return this.addon.compile(this.native, times ? { ...description, times } : description)
    } catch (cause) {
      const bytes = description.accumulators.reduce((sum, { rows, cols }) => sum + 4 * rows * cols, 0)
      const wanted = `no memory for vectors and accumulators of ${bytes} bytes: accumulate fewer weights at once`
      throw new BackendUnavailableError('cpu', wanted, { cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.addon.disposeBackend(this.native)
  }
}
