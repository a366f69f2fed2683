// Builds the tests of native code that need no Node, in the addon's build folder, and runs them. Where nothing native is built
// it says so and succeeds.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const build = join(fileURLToPath(new URL('..', import.meta.url)), 'build')
const programs = ['compare_kernels']
if (process.report.getReport().header.glibcVersionRuntime !== undefined) programs.push('count_allocations')

if (!existsSync(join(build, 'CMakeCache.txt'))) {
  console.error('@dpllm/cpu-kernels: there is no native build; its tests are not run')
  process.exit(0)
}
for (const program of programs) {
  run('cmake', ['--build', build, '--target', program])
  run(join(build, program), [])
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
