// Runs the operator cases on native code built with GCC's address and undefined behaviour sanitizers, on every instruction set
// that the machine has, after a program of known faults has shown that they are reported. Where the compiler has no sanitizers
// it says so and succeeds.
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
const sanitizers = {
  LD_PRELOAD: ['libasan.so', 'libubsan.so'].map(runtime).join(':'),
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
}
checkSanitizers()
build('compare_kernels')
const compared = spawnSync(join(root, out, 'compare_kernels'), { stdio: 'inherit', env: { ...process.env, ...sanitizers } })
if (compared.status !== 0) fail('the kernels differ or have faults')
const tests = ['packages/cpu-kernels/test/operator-cases', 'packages/cpu-kernels/test/program-state']
run([join(root, '../../node_modules/vitest/vitest.mjs'), 'run', '--root', join(root, '../..'), '--pool=threads', ...tests], {
  ...sanitizers,
  DPLLM_CPU_ADDON: join(root, out, 'Release/dpllm_cpu.node'),
})

/** Faults of native/test/faulty.cpp must be reported: one of addresses in the code of each instruction set, one of arithmetic. */
function checkSanitizers() {
  build('faulty')
  const faulty = (fault) =>
    spawnSync(join(root, out, 'faulty'), [fault], { encoding: 'utf8', env: { ...process.env, ...sanitizers } })
  const sound = faulty('none')
  if (sound.status !== 0 || sound.stderr !== '') fail(`reported where there is no fault:\n${sound.stderr}`)
  const instructions = sound.stdout.trim().split(' ')
  const wanted = { overflow: /runtime error: signed integer overflow/ }
  for (const name of instructions) wanted[name] = /AddressSanitizer: heap-buffer-overflow/
  for (const [fault, report] of Object.entries(wanted)) {
    const { status, stderr } = faulty(fault)
    if (status === 0 || !report.test(stderr)) fail(`the fault "${fault}" was not reported (status ${status}):\n${stderr}`)
  }
  console.log(`@dpllm/cpu-kernels: the sanitizers report the faults of ${Object.keys(wanted).join(', ')}`)
}

function build(program) {
  const { status, stdout, stderr } = spawnSync('cmake', ['--build', join(root, out), '--target', program], { encoding: 'utf8' })
  if (status !== 0) fail(`${program} does not build:\n${stdout}${stderr}`)
}

function fail(message) {
  console.error(`@dpllm/cpu-kernels: ${message}`)
  process.exit(1)
}

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
