import { loadAddon } from './load-addon.js'

export type CudaProbe =
  | { readonly ok: true; readonly devices: number; readonly origin: string }
  | { readonly ok: false; readonly reason: string }

/** Says whether a CUDA device can be used, and if not, why. Never throws. */
export function probeCuda(): CudaProbe {
  const loaded = loadAddon()
  if ('errors' in loaded) return { ok: false, reason: `no CUDA addon (${loaded.errors.join('; ')})` }
  try {
    const devices = loaded.addon.deviceCount()
    return devices > 0 ? { ok: true, devices, origin: loaded.origin } : { ok: false, reason: 'no CUDA device' }
  } catch (error) {
    return { ok: false, reason: (error as Error).message }
  }
}
