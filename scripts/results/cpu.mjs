// `npm run results:cpu [-- decode prefill …]`: measures the speed of the CPU kernels against llama.cpp, onnxruntime and the memory's
// own, all parts or those named, and writes docs/results/cpu.md of what has been measured of the present build. Every measurement is
// a process of its own of at most a minute or so, and is kept in models/results/cpu: what is there is not measured again, so
// that it can be interrupted (`--again` measures anew). The machine should do nothing else; DPLLM_MEASURE_WITH may name a command
// that every measurement is run under, such as `nice -n -10` or one that waits until nothing else runs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { root } from '../lib/run.mjs'
import { ensureBuilt, ensureInstalled } from '../lib/setup.mjs'
import { ensurePeers } from './cpu/peers.mjs'
import { runsOf } from './cpu/runs.mjs'

const work = `${root}models/results/cpu/`
const pages = `${root}docs/results`
mkdirSync(work, { recursive: true })
mkdirSync(pages, { recursive: true })

const again = process.argv.includes('--again')
const named = process.argv.slice(2).filter((argument) => argument !== '--again')
ensureInstalled()
if (process.env.DPLLM_RESULTS_BUILD !== 'off') ensureBuilt()
ensurePeers()
const runs = runsOf(work)
const unknown = named.filter((part) => runs[part] === undefined)
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(runs).join(', ')}`)
const build = createHash('sha256')
  .update(readFileSync(`${root}packages/cpu-kernels/build/Release/dpllm_cpu.node`))
  .digest('hex')
  .slice(0, 12)

for (const part of named.length > 0 ? named : Object.keys(runs)) {
  for (const run of runs[part]) {
    if (!again && existsSync(fileOf(run))) continue
    const shown = `${run.measurement} ${JSON.stringify(run.options)}`
    console.error(`${part}: ${shown}`)
    measure(run)
  }
}

// Imported here: it needs the packages to have been built.
const { writePage } = await import('./cpu/page.mjs')
const results = Object.fromEntries(
  Object.entries(runs).map(([part, list]) => [
    part,
    list.flatMap((run) => (existsSync(fileOf(run)) ? [{ ...run, result: JSON.parse(readFileSync(fileOf(run), 'utf8')) }] : [])),
  ]),
)
await writePage(pages, results)
console.log('\ndocs/results/cpu.md')

/** Where a run's result is kept: anew for every build of the native code. */
function fileOf({ measurement, options }) {
  const key = createHash('sha256')
    .update(JSON.stringify([build, options]))
    .digest('hex')
    .slice(0, 12)
  return `${work}${measurement}-${key}.json`
}

function measure(run) {
  const under = (process.env.DPLLM_MEASURE_WITH ?? '').split(' ').filter((word) => word !== '')
  const script = `${root}scripts/results/cpu/measure-one.mjs`
  const [command, ...args] = [...under, process.execPath, script, run.measurement, JSON.stringify(run.options), fileOf(run)]
  const { status, error, stderr } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${run.measurement} ended with status ${status}\n${stderr}`, { cause: error })
}
