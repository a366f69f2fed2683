// `npm test`: installs, builds, checks types, style and packages, and runs all tests. What follows `--` goes to vitest:
// `npm test -- packages/core -t planes`. Closes with "N passed, N failed, N skipped", where each of the steps before
// the tests counts as one; the exit status is 0 when nothing failed.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { CommandError, pnpm, root, run, tool } from './lib/run.mjs'
import { ensureBuilt, ensureInstalled } from './lib/setup.mjs'
import { countTests, formatCounts } from './lib/test-counts.mjs'

const report = `${root}.vitest.json`

const steps = [
  ['install', ensureInstalled],
  ['build', ensureBuilt],
  ['types of the packages', () => pnpm('exec', 'turbo', 'run', 'typecheck', '--output-logs=errors-only')],
  ['types of tests and examples', () => tool('tsc', '--noEmit')],
  ['package contents', () => pnpm('exec', 'turbo', 'run', 'lint:package', '--output-logs=errors-only')],
  ['style', () => tool('biome', 'check', '.')],
  ['examples as users run them', runExamples],
]

// Some minutes, most of them building the native code anew.
if (process.env.CI === 'true') {
  const script = (name) => () => run('node', [`packages/cpu-kernels/scripts/${name}.mjs`])
  steps.push(['kernels compared and allocations counted', script('test-native')])
  steps.push(['operator cases under sanitizers', script('test-sanitized')])
}

const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []

for (const [name, step] of steps) {
  if (succeeds(name, step)) total.passed++
  else total.failed++
  if (name === 'install' && total.failed > 0) finish()
}

rmSync(report, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const testsPassed = succeeds('tests', () => tool('vitest', 'run', ...reporters, ...process.argv.slice(2)))
const counts = existsSync(report) ? countTests(JSON.parse(readFileSync(report, 'utf8'))) : { passed: 0, failed: 0, skipped: 0 }
// An error outside of any test, or vitest itself ending early.
if (!testsPassed && counts.failed === 0) counts.failed = 1
for (const key of Object.keys(total)) total[key] += counts[key]
finish()

/** On the built packages; the tests run the same code on the sources. */
function runExamples() {
  for (const name of readdirSync(`${root}examples`)) run('npm', ['start', '--silent', '--prefix', `examples/${name}`])
}

function succeeds(name, step) {
  const start = performance.now()
  console.log(`\n== ${name}`)
  try {
    step()
    console.log(`== ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
    return true
  } catch (error) {
    if (!(error instanceof CommandError)) console.error(error)
    failures.push(`${name}: ${error.message}`)
    return false
  }
}

function finish() {
  for (const failure of failures) console.error(`failed: ${failure}`)
  console.log(formatCounts(total))
  process.exit(total.failed === 0 ? 0 : 1)
}
