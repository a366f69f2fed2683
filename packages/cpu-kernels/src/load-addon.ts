import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BackendUnavailableError } from '@dpllm/core'
import type { NativeAddon } from './native-types.js'

const require = createRequire(import.meta.url)
// This file is in the top level of src, and of dist once bundled: the package's root is one folder up from both.
const root = fileURLToPath(new URL('..', import.meta.url))
const platform = `${process.platform}-${process.arch}`

export interface LoadedAddon {
  readonly addon: NativeAddon
  /** Where it was loaded from, for people. */
  readonly origin: string
}

let loaded: LoadedAddon | undefined

/**
 * Loads the addon: the file that DPLLM_CPU_ADDON names, otherwise the local build, otherwise the prebuilt package of
 * this platform.
 * @throws BackendUnavailableError with every failure; also where DPLLM_CPU_ADDON is `off`
 */
export function loadAddon(): LoadedAddon {
  const forced = process.env.DPLLM_CPU_ADDON
  if (forced === 'off') throw new BackendUnavailableError('cpu', 'switched off by DPLLM_CPU_ADDON=off')
  if (loaded !== undefined && !forced) return loaded
  const candidates = forced
    ? [[resolve(forced), `DPLLM_CPU_ADDON=${forced}`]]
    : [
        [`${root}build/Release/dpllm_cpu.node`, 'local build'],
        [`@dpllm/cpu-kernels-${platform}`, `@dpllm/cpu-kernels-${platform}`],
      ]
  const failures: string[] = []
  for (const [request, origin] of candidates) {
    try {
      const found = { addon: require(request) as NativeAddon, origin }
      if (!forced) loaded = found
      return found
    } catch (error) {
      failures.push(`${origin}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  throw new BackendUnavailableError('cpu', `the addon could not be loaded\n  ${failures.join('\n  ')}`)
}
