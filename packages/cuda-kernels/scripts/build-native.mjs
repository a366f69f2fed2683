// Builds, with cmake-js, build/Release/dpllm_cuda_host.node, the kernels on the host for tests, and, where nvcc is found,
// build/Release/dpllm_cuda.node. DPLLM_CUDA_ARCHITECTURES names the GPUs, as CMake does ("90", "80;90-virtual"); `all`, the
// default in CI, is what is published; elsewhere 80 with its PTX, which newer ones run, too, as it builds fast. Without a usable C++ compiler and CMake, or with
// DPLLM_NATIVE=off, it says so and succeeds. A compile error fails.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ALL_ARCHITECTURES = '80-real;86-real;87-real;89-real;90-real;80-virtual;90-virtual'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')

const reason = whyNot()
if (reason !== undefined) {
  console.error(`@dpllm/cuda-kernels: not built (${reason}); other backends will be used`)
  process.exit(0)
}

const { CI, DPLLM_CUDA_ARCHITECTURES: architectures = CI ? 'all' : '80', DPLLM_SANITIZE, CUDACXX = 'nvcc' } = process.env
const nvcc = spawnSync(CUDACXX, ['--version']).status === 0
if (!nvcc) console.error('@dpllm/cuda-kernels: nvcc was not found; only the kernels on the host are built, for tests')
const options = [
  `--CDDPLLM_CUDA=${nvcc ? 'ON' : 'OFF'}`,
  `--CDDPLLM_SANITIZE=${DPLLM_SANITIZE === '1' ? 'ON' : 'OFF'}`,
  `--CDCMAKE_CUDA_ARCHITECTURES=${architectures === 'all' ? ALL_ARCHITECTURES : architectures}`,
]

// `cmake-js build` configures only when there is no CMakeCache.txt, so what a cache was made from is kept beside it.
const stamp = join(build, 'configured-for.json')
const { CC, CXX, CXXFLAGS } = process.env
const configuration = JSON.stringify({ root, options, node: process.version, arch: process.arch, CC, CXX, CXXFLAGS, CUDACXX })
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== configuration) rmSync(build, { recursive: true, force: true })

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js')
const result = spawnSync(process.execPath, [cmakeJs, 'build', '--parallel', '2', ...options], { cwd: root, stdio: 'inherit' })
if (result.status === 0) {
  mkdirSync(build, { recursive: true })
  writeFileSync(stamp, configuration)
}
process.exit(result.status ?? 1)

/** Why nothing can be built here, or undefined. A compiler that cannot compile the empty program is not usable. */
function whyNot() {
  if (process.env.DPLLM_NATIVE === 'off') return 'DPLLM_NATIVE=off'
  if (spawnSync('cmake', ['--version']).status !== 0) return 'cmake was not found'
  if (process.platform === 'win32') return 'the native code needs GCC or Clang, on Windows inside WSL'
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']
  const folder = mkdtempSync(join(tmpdir(), 'dpllm-cxx-'))
  try {
    const source = join(folder, 'empty.cpp')
    writeFileSync(source, 'int main() { return 0; }\n')
    const works = (cxx) =>
      spawnSync(cxx, ['-std=c++17', '-o', join(folder, 'empty'), source], { shell: cxx.includes(' ') }).status === 0
    if (!candidates.some(works)) return `no working C++ compiler (tried ${candidates.join(', ')})`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return undefined
}
