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

/**
 * Loads the addon: the file that DPLLM_CUDA_ADDON names, otherwise the local build, otherwise the prebuilt package of
 * this platform. It loads without a driver, too.
 * @throws BackendUnavailableError with every failure; also where DPLLM_CUDA_ADDON is `off`
 */
export function loadAddon(): LoadedAddon {
  const forced = process.env.DPLLM_CUDA_ADDON
  if (forced === 'off') throw new BackendUnavailableError('cuda', 'switched off by DPLLM_CUDA_ADDON=off')
  const candidates = forced
    ? [[resolve(forced), `DPLLM_CUDA_ADDON=${forced}`]]
    : [
        [`${root}build/Release/dpllm_cuda.node`, 'local build'],
        [`@dpllm/cuda-kernels-${platform}`, `@dpllm/cuda-kernels-${platform}`],
      ]
  const failures: string[] = []
  for (const [request, origin] of candidates) {
    try {
      return { addon: require(request) as NativeAddon, origin }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      failures.push(`${origin}: ${code === 'MODULE_NOT_FOUND' ? 'not there' : message.split('\n')[0]}`)
    }
  }
  throw new BackendUnavailableError('cuda', `the addon could not be loaded\n  ${failures.join('\n  ')}`)
}
