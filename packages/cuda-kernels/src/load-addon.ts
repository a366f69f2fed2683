import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))

/** What the CUDA addon gives to TypeScript. */
export interface CudaAddon {
  /** Number of usable devices. @throws Error with the CUDA call's name */
  deviceCount(): number
}

export type LoadedAddon = { readonly addon: CudaAddon; readonly origin: string } | { readonly errors: readonly string[] }

/** A local build wins over the platform's prebuilt package; every failure is kept for the message. Never throws. */
export function loadAddon(): LoadedAddon {
  const errors: string[] = []
  for (const origin of [`${root}build/Release/dpllm_cuda.node`, `@dpllm/cuda-kernels-${process.platform}-${process.arch}`]) {
    try {
      return { addon: require(origin) as CudaAddon, origin }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      errors.push(code === 'MODULE_NOT_FOUND' ? `${origin}: not there` : `${origin}: ${message.split('\n')[0]}`)
    }
  }
  return { errors }
}
