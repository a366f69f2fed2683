import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { importPackage } from '../../lib/packages.mjs'
import { lineChart } from '../line-chart.mjs'
import { peerVersions } from './peers.mjs'
import { sections } from './sections.mjs'

const { medianOf, speedChart } = await importPackage('eval')
const { probeCpu } = await importPackage('cpu-kernels')

/**
 * Writes docs/results/cpu.md and its plots of what has been measured.
 * @param {string} pages folder
 * @param {Record<string, { measurement: string, options: object, result: any }[]>} results by part
 */
export async function writePage(pages, results) {
  const parts = Object.entries(results).filter(([, runs]) => runs.length > 0)
  const texts = parts.map(([part, runs]) => sections[part](runs))
  writeFileSync(`${pages}/cpu.md`, `${introduction()}\n${texts.join('\n')}`)
  const most = Math.max(...results.decode.map(({ options }) => options.threads))
  const speeds = results.decode.filter(({ options }) => options.threads === most)
  if (speeds.length > 0) {
    const points = speeds.flatMap(({ result }) => result.map((c) => ({ ...c, name: c.name.replace(/ Q.*/, '') })))
    const title = `Decode, layers of Llama-3-8B (4 of 32), ${most} threads`
    writeFileSync(`${pages}/cpu-decode.svg`, await speedChart(points, title))
  }
  const mixes = results.dynamic.filter(({ measurement }) => measurement === 'static-mix')
  if (mixes.length > 0) {
    const points = mixes.flatMap(({ options, result }) =>
      result.effectiveBits.map((x, i) => ({
        name: `${options.threads} ${options.threads === 1 ? 'thread' : 'threads'}`,
        x,
        y: medianOf(result.times[i]) / result.tokens,
      })),
    )
    const labels = { title: 'Time of a token, 4 layers of Llama-3-8B', x: 'effective bits', y: 'milliseconds' }
    writeFileSync(`${pages}/cpu-bits.svg`, await lineChart(points, labels))
  }
}

function introduction() {
  const { instructions } = probeCpu()
  return `# CPU speed

Ours against the memory's own speed, llama.cpp and onnxruntime. This page is made by

\`\`\`
npm run results:cpu
\`\`\`

or part by part (\`npm run results:cpu -- decode prefill\`), on a machine that does nothing else. Measured on ${cpus()[0].model.trim()}, ${cpus().length} CPUs,
our ${instructions} kernels, Node.js ${process.versions.node}; ${peerVersions()}.

**Method.** What is compared takes turns, one of each in every round, in an order that moves on by one, with 20 ms between turns so that
nobody's waiting threads take from the next. Numbers are ratios of the same round: the median over rounds, and in brackets the
quartiles. Absolute numbers are medians, and only as good as the machine's quiet: what a shared machine's memory gives changes by the minute.
Weights are random, in the layers of Llama-3-8B (4 of 32, vocabulary 1024): ours bit-planes of the bits that are named with an 8-bit head, llama.cpp's all
matrices in one type, as \`llama-quantize --pure\` writes them (speed does not depend on the weights), through node-llama-cpp with its
prebuilt binary for this CPU. Memory is larger than all caches in every measurement.
`
}
