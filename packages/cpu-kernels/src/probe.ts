import { loadAddon } from './load-addon.js'
import { resolveSettings } from './settings.js'

export type CpuProbe =
  | {
      readonly ok: true
      /** The instruction set that a backend with default options uses. */
      readonly instructions: string
      /** All that this machine and build have, best first. */
      readonly available: readonly string[]
      readonly threads: number
      /** Where the addon was loaded from. */
      readonly origin: string
    }
  | { readonly ok: false; readonly reason: string }

/** Says whether the native CPU backend can be used here, and if not, why. Never throws. */
export function probeCpu(): CpuProbe {
  try {
    const { addon, origin } = loadAddon()
    const { instructions, threads } = resolveSettings()
    const available = addon.instructions()
    if (instructions !== 'auto' && !available.includes(instructions)) {
      return {
        ok: false,
        reason: `DPLLM_CPU_INSTRUCTIONS=${instructions}, but this machine and build have ${available.join(', ')}`,
      }
    }
    return { ok: true, instructions: instructions === 'auto' ? available[0] : instructions, available, threads, origin }
  } catch (error) {
    return { ok: false, reason: (error as Error).message }
  }
}
