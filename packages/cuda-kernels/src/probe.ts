import { loadAddon } from './load-addon.js'
import type { NativeAddon, NativeDevice } from './native-types.js'

/** A GPU, at its index in `CudaProbe.devices`. */
export type CudaDevice = NativeDevice

export type CudaProbe =
  | {
      readonly ok: true
      /** At least one. */
      readonly devices: readonly CudaDevice[]
      /** Where the addon was loaded from. */
      readonly origin: string
    }
  | { readonly ok: false; readonly reason: string }

/** Says whether a CUDA device can be used here, and if not, why. Never throws. */
export function probeCuda(): CudaProbe {
  try {
    const { addon, origin } = loadAddon()
    const devices = listDevices(addon)
    return devices.length > 0 ? { ok: true, devices, origin } : { ok: false, reason: 'no CUDA device' }
  } catch (error) {
    return { ok: false, reason: (error as Error).message }
  }
}

/**
 * The GPUs that the driver shows.
 * @throws Error with the name of the CUDA call that failed
 */
export function listDevices(addon: NativeAddon): NativeDevice[] {
  try {
    return addon.devices()
  } catch (cause) {
    const { message } = cause as Error
    const hint = message.includes('cudaErrorInsufficientDriver') ? 'no NVIDIA driver, or one older than this build needs: ' : ''
    throw new Error(hint + message, { cause })
  }
}
