// Builds build/Release/dpllm_cpu.node with cmake-js. Without a usable C++ compiler and CMake, or with DPLLM_NATIVE=off,
// it says so and succeeds: everything then runs on the reference backend. A compile error fails.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')
const options = process.env.DPLLM_SANITIZE === '1' ? ['--CDDPLLM_SANITIZE=ON'] : []

const reason = whyNot()
if (reason !== undefined) {
  console.error(`@dpllm/cpu-kernels: not built (${reason}); the reference backend will be used`)
  process.exit(0)
}

// `cmake-js build` configures only when there is no CMakeCache.txt, so what a cache was made from is kept beside it.
const stamp = join(build, 'configured-for.json')
const configuration = JSON.stringify({
  root,
  options,
  node: process.version,
  arch: process.arch,
  CC: process.env.CC,
  CXX: process.env.CXX,
  CXXFLAGS: process.env.CXXFLAGS,
})
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
  if (process.env.CC && spawnSync(process.env.CC, ['--version'], { shell: process.env.CC.includes(' ') }).status !== 0) {
    return `CC=${process.env.CC} cannot be run`
  }
  return undefined
}
