import { type Backend, BackendUnavailableError, type CompiledProgram, type Program, type Weights } from '@dpllm/core'
import { floatTypes, lowerProgram, NativeCompiledProgram } from '@dpllm/core/native'
import { checkLimits } from './limits.js'
import { loadAddon } from './load-addon.js'
import type { NativeAddon, NativeDevice, NativeSettings } from './native-types.js'
import { listDevices } from './probe.js'
import { type CudaBackendOptions, resolveSettings } from './settings.js'

/**
 * The CUDA backend: every step is one copy to the GPU, its kernels, and one copy back; decisions stay on the device.
 * @throws BackendUnavailableError if the addon cannot be loaded, there is no driver or no such device
 * @throws InvalidArgumentError for options that make no sense
 */
export function createCudaBackend(options: CudaBackendOptions = {}): Backend {
  const { device, cache, graphs } = resolveSettings(options)
  const { addon, origin } = loadAddon()
  const devices = usableDevices(addon)
  const used = devices[device]
  if (used === undefined) throw new BackendUnavailableError('cuda', `no device ${device}; this machine has ${devices.length}`)
  const memory = `${(used.memoryBytes / 2 ** 30).toFixed(0)} GiB`
  const capability = `compute capability ${used.computeCapability}`
  const description = `${used.name} (device ${device}, ${memory}, ${capability}), ${cache} cache, ${origin}`
  return new CudaBackend(description, addon, { device, cacheType: floatTypes[cache], graphs: graphs ? 1 : 0 })
}

function usableDevices(addon: NativeAddon): NativeDevice[] {
  try {
    return listDevices(addon)
  } catch (cause) {
    throw new BackendUnavailableError('cuda', (cause as Error).message, { cause })
  }
}

class CudaBackend implements Backend {
  readonly name = 'cuda'
  readonly #programs = new Set<CompiledProgram>()
  #disposed = false

  constructor(
    readonly description: string,
    private readonly addon: NativeAddon,
    private readonly settings: NativeSettings,
  ) {}

  async compile(program: Program, weights: Weights): Promise<CompiledProgram> {
    if (this.#disposed) throw new BackendUnavailableError('cuda', 'it has been disposed')
    const lowered = lowerProgram(program, weights)
    checkLimits(program)
    const native = await this.addon.compile(this.settings, lowered.description).catch((cause: Error) => {
      throw new BackendUnavailableError('cuda', `the weights could not be loaded: ${cause.message}`, { cause })
    })
    const compiled: CompiledProgram = new NativeCompiledProgram(program, weights, {
      backend: 'cuda',
      binding: this.addon,
      native,
      lowered,
      onDispose: () => this.#programs.delete(compiled),
    })
    this.#programs.add(compiled)
    return compiled
  }

  /** Gives back the device memory of all that was compiled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await Promise.all([...this.#programs].map((program) => program[Symbol.asyncDispose]()))
  }
}
