import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../build/Release/dpllm_cuda_host.node', import.meta.url))

/** Whether the kernels have been built for the host. */
export const hasHostAddon = existsSync(file)

/** Makes this test file's backends run the kernels on the host, whether there is a GPU or not. */
export function useHostAddon(): void {
  process.env.DPLLM_CUDA_ADDON = file
}
