import type { NativeBinding, NativeProgram, NativeProgramDescription } from '@dpllm/core/native'

/**
 * What the addon exports: the one description of the surface between this package's TypeScript and its C++ (native/addon).
 * Errors name the call of the CUDA runtime that failed.
 */
export interface NativeAddon extends NativeBinding {
  /** Throws where CUDA cannot be used: no driver, an old one, no device. */
  devices(): NativeDevice[]
  /** Device memory that the programs, caches and estimators of this process hold. */
  allocatedBytes(): number
  /** Copies the weights to the device. */
  compile(settings: NativeSettings, description: NativeProgramDescription): Promise<NativeProgram>
}

export interface NativeDevice {
  readonly name: string
  readonly memoryBytes: number
  /** "9.0", say. */
  readonly computeCapability: string
  readonly multiprocessors: number
}

export interface NativeSettings {
  readonly device: number
  /** A `floatTypes` number, f32 or f16. */
  readonly cacheType: number
  /** 1: steps that are alike are recorded once and launched as one graph. */
  readonly graphs: 0 | 1
}
