// Runs the operator cases on native code built with GCC's address and undefined behaviour sanitizers, on every instruction set
// that the machine has. Where the compiler has no sanitizers it says so and succeeds.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join('build', 'sanitized')
const compiler = process.env.CXX ?? 'c++'

const reason = whyNot()
if (reason !== undefined) {
  console.error(`@dpllm/cpu-kernels: no sanitizers (${reason}); not run`)
  process.exit(0)
}

const require = createRequire(import.meta.url)
run([require.resolve('cmake-js/bin/cmake-js'), 'build', '--parallel', '2', '--out', out, '--CDDPLLM_SANITIZE=ON'], {})
// The runtimes come before everything else in Node's own process, as its program is built without them. Its leaks are not ours, and
// that there is no memory is something that tests want to see.
const tests = ['packages/cpu-kernels/test/operator-cases', 'packages/cpu-kernels/test/program-state']
run([join(root, '../../node_modules/vitest/vitest.mjs'), 'run', '--root', join(root, '../..'), '--pool=threads', ...tests], {
  LD_PRELOAD: ['libasan.so', 'libubsan.so'].map(runtime).join(':'),
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  DPLLM_CPU_ADDON: join(root, out, 'Release/dpllm_cpu.node'),
})

function run(args, env) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** Path of one of GCC's libraries; a bare name where the compiler has none. */
function runtime(library) {
  return spawnSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout?.trim() ?? library
}

function whyNot() {
  if (process.platform !== 'linux') return 'they are preloaded on Linux only'
  if (spawnSync('cmake', ['--version']).status !== 0) return 'cmake was not found'
  if (!['libasan.so', 'libubsan.so'].every((library) => isAbsolute(runtime(library))))
    return `${compiler} has no libasan.so and libubsan.so`
  const folder = mkdtempSync(join(tmpdir(), 'dpllm-sanitizers-'))
  try {
    const source = join(folder, 'empty.cpp')
    writeFileSync(source, 'int main() { return 0; }\n')
    const args = ['-std=c++17', '-fsanitize=address,undefined', '-o', join(folder, 'empty'), source]
    return spawnSync(compiler, args).status === 0 ? undefined : `${compiler} cannot link with -fsanitize=address,undefined`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
