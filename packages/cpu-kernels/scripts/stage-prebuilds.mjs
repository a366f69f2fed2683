// Copies the local build into the npm package of the platform it was built on.
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
copyFileSync(`${root}build/Release/dpllm_cpu.node`, `${root}npm/${process.platform}-${process.arch}/dpllm_cpu.node`)
