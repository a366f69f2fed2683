// docs/results/cuda-roofline.md: what the compiled kernels would need of an H200, counted in their instructions. Nothing runs
// and nothing is timed. Needs nvcc and nvdisasm (NVCC and NVDISASM name them): node scripts/results/cuda-roofline.mjs
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { markdownTable } from '../lib/table.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const native = join(root, 'packages/cuda-kernels/native')
const { NVCC = 'nvcc', NVDISASM = 'nvdisasm' } = process.env
const folder = mkdtempSync(join(tmpdir(), 'dpllm-roofline-'))

/** An H200: multiprocessors, clock in Hz, memory bandwidth that a copy reaches in bytes/s (a guess), lanes per clock. */
const h200 = { sms: 132, clock: 1.755e9, bandwidth: 4.3e12, integer: 64, issue: 128, shared: 32 }
/** Clocks of a multiprocessor for one mma.sync: int8 m16n8k32 and f16 m16n8k16 at 62 % of the peak of wgmma. */
const MMA_CLOCKS = 1.6

/** What the integer pipe does (64 lanes a clock); multiplications and floats go elsewhere. */
const INTEGER = /^(LOP3|PRMT|SHF|IADD3|VIADD|ISETP|SEL|LEA|MOV|PLOP3|I2FP|FSETP|FMNMX|LOP|BMSK|SGXT)$/

try {
  const loops = innerLoops()
  const kernels = usage('few_rows_product').concat(usage('many_rows_product'))
  writeFileSync(join(root, 'docs/results/cuda-roofline.md'), page(loops, kernels))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function compile(source, name, more) {
  const cubin = join(folder, `${name}.cubin`)
  const options = ['-std=c++17', '-O3', '-arch=sm_90', '--extended-lambda', '--expt-relaxed-constexpr', '-I', native]
  const result = spawnSync(NVCC, [...options, ...more, '-cubin', '-o', cubin, source], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return { cubin, log: result.stderr }
}

/** Registers and spills of the kernels as they run. */
function usage(name) {
  const { log } = compile(join(native, 'operators', `${name}.cu`), name, ['-Xptxas', '-v'])
  const found = []
  for (const [, kernel, text] of log.matchAll(/Compiling entry function '(\S+)'([\s\S]*?)Used (?=\d)/g)) {
    const registers = Number(/^\d+/.exec(log.slice(log.indexOf(text) + text.length + 5))[0])
    found.push({ kernel: readable(kernel), registers, spills: Number(/(\d+) bytes spill stores/.exec(text)[1]) })
  }
  return found
}

function readable(kernel) {
  const rows = /few_rows_kernelILi(\d+)E/.exec(kernel)
  if (rows) return `few rows, up to ${rows[1]}`
  const half = /HalfArithmeticILi(\d+)E/.exec(kernel)
  if (half) return `many rows, f16, blocks of ${4 * 8 * half[1]} rows`
  const dense = /DenseSourceI(\S+?)Lb(\d)E/.exec(kernel)
  if (dense) {
    const type = dense[1].includes('bfloat16') ? 'bf16' : dense[1].includes('half') ? 'f16' : 'f32'
    return `many rows, f32 in two tf32, ${type} matrix${dense[2] === '1' ? ', transposed' : ''}`
  }
  if (kernel.includes('PlaneRows')) return 'many rows, f32 in two tf32, planes'
  if (kernel.includes('PlaneColumns')) return 'many rows, f32 in two tf32, planes, transposed'
  return 'scales of rows'
}

/** Instructions per weight in the loop over column tiles: the smallest backward branch around matrix instructions. */
function innerLoops() {
  const { cubin } = compile(fileURLToPath(new URL('cuda-roofline.cu', import.meta.url)), 'loops', [])
  const text = execFileSync(NVDISASM, ['-c', cubin], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  return text
    .split(/^\.text\./m)
    .slice(1)
    .flatMap((section) => {
      const [, lookup, bits, rows] = /^(Byte|Half)_(\d+)_(\d+):/.exec(section) ?? []
      return lookup === undefined ? [] : [countLoop(section, lookup, Number(bits), Number(rows))]
    })
}

function countLoop(section, lookup, bits, rows) {
  const labels = new Map()
  const instructions = []
  for (const line of section.split('\n')) {
    const label = /^(\.L_\w+):/.exec(line)
    if (label) labels.set(label[1], instructions.length)
    const found = /\/\*[0-9a-f]+\*\/\s+(?:@!?U?P\w+\s+)?([A-Z0-9_]+)(\S*)(.*)/.exec(line)
    if (found) instructions.push({ op: found[1], all: found[1] + found[2], rest: found[3] })
  }
  const isMatrix = ({ op }) => op === 'IMMA' || op === 'HMMA'
  let best
  instructions.forEach(({ op, rest }, end) => {
    const target = op === 'BRA' && /\(?(\.L_\w+)/.exec(rest)
    const begin = target && labels.get(target[1])
    if (begin === undefined || begin === false || begin === null || begin > end) return
    const loop = instructions.slice(begin, end + 1)
    if (loop.some(isMatrix) && (best === undefined || loop.length < best.length)) best = loop
  })
  const count = (test) => best.filter(test).length
  const groups = lookup === 'Byte' ? Math.ceil(rows / 4) : Math.ceil(rows / 8)
  const perTile = groups * (lookup === 'Byte' ? (bits === 3 ? 16 : 32) : 32)
  const tiles = count(isMatrix) / perTile
  const weights = 128 * tiles // of one lane
  return {
    lookup,
    bits,
    rows,
    tiles,
    all: best.length / weights,
    integer: count(({ op }) => INTEGER.test(op)) / weights,
    shared: count(({ op }) => op === 'LDS') / weights,
    matrix: count(isMatrix) / tiles,
  }
}

/** The share of the memory bandwidth that each pipe allows at least; more than 1 is room to spare. */
function limits({ bits, all, integer, shared, matrix }) {
  const wanted = (h200.bandwidth * 8) / bits / h200.sms / h200.clock // weights a clock and multiprocessor
  return {
    integer: h200.integer / integer / wanted,
    issue: h200.issue / all / wanted,
    shared: shared === 0 ? Number.POSITIVE_INFINITY : h200.shared / shared / wanted,
    matrix: 4096 / (matrix * MMA_CLOCKS) / wanted,
  }
}

function page(loops, kernels) {
  const percent = (x) => (x === Number.POSITIVE_INFINITY ? '–' : `${(100 * x).toFixed(0)} %`)
  const sorted = loops.sort((a, b) => a.rows - b.rows || a.bits - b.bits)
  const rows = sorted.map((loop) => {
    const of = limits(loop)
    const least = Math.min(1, ...Object.values(of))
    return [
      `${loop.bits} bits, ${loop.lookup === 'Byte' ? 'bytes' : 'f16'}, up to ${loop.rows} rows`,
      loop.integer.toFixed(2),
      loop.shared.toFixed(2),
      loop.all.toFixed(2),
      String(loop.matrix),
      percent(of.integer),
      percent(of.shared),
      percent(of.issue),
      percent(of.matrix),
      percent(least),
    ]
  })
  const header = ['loop', 'integer', 'shared', 'all', 'mma / tile', 'integer', 'shared', 'issue', 'mma', 'roof']
  const registers = kernels.map(({ kernel, registers, spills }) => [kernel, String(registers), String(spills)])
  return `# CUDA: rooflines by hand

Nothing here was timed: no GPU was at hand. \`scripts/results/cuda-roofline.mjs\` counts the instructions of the compiled loops (nvcc,
sm_90) and divides. What a GPU measures goes to \`cuda.md\` and replaces this page.

Assumed of an H200: ${h200.sms} multiprocessors at ${h200.clock / 1e9} GHz; a copy reaches ${h200.bandwidth / 1e12} TB/s; each clock a multiprocessor does
${h200.integer} integer operations, ${h200.shared} words from shared memory and ${h200.issue} instructions in all; a \`mma.sync\` takes ${MMA_CLOCKS} clocks (62 % of the
peak of the asynchronous ones). A GPU does not keep every pipe full at once: a limit near 100 % will be felt.

## Products with few rows

Left: instructions per weight. Right: the bandwidth of the planes that each pipe allows, in percent of the copy's.

${markdownTable(header, rows)}

Beside the planes a block reads its tables (24 bytes a row at 3 bits, 40 at 4, 2^(b+1) above: 1.6, 2, 2.5 and 4 % of the planes of
4096 columns at 3, 4, 5 and 6 bits) and, from the L1 or L2 cache, the activations of its columns (2 bytes per column and row as
bytes, 4 as halves, for every 16 rows of W). A kernel before lays out the activations. Launches, tails of the grid and
the latency of a block's beginning are not in these figures.

## Products with many rows

By hand, from the source: a block of 128 outputs and 256 rows makes in a stage of 32 columns 512 \`mma\` (820 clocks). Meanwhile
its shared memory serves fragments (8 warps x 2 x (16 + 16) wavefronts = 512), the writes of a stage (64 + 128) and 4096
centroids (128): 832 clocks. So both are at their limit together: at most some 60 % of what asynchronous \`wgmma\`, which cuBLAS
uses on this GPU, reaches; 0.7 of cuBLAS is not in sight without it. Decoding costs 2 to 4 integer operations a weight:
128 to 256 clocks beside that. f32 in two tf32 does 2 products (3 where the matrix is no f16 or bf16) at half the rate.

## Registers

${markdownTable(['kernel, 256 threads', 'registers', 'bytes spilled'], registers)}

128 registers: two blocks, 16 of 64 warps on a multiprocessor; more: one block. Of each warp 1.5 to 4 KiB of planes are under way:
24 to 48 KiB for each multiprocessor, where 19 to 32 KiB hide the latency of the memory (4.3 TB/s x 600 to 1000 ns).
`
}
