import { availableParallelism } from 'node:os'
import { emptyProfile } from '@dpllm/core'
import { readMemory } from '@dpllm/cpu-kernels'
import { benchKernels, type KernelRow } from '@dpllm/eval'
import { createBackend } from '@dpllm/runtime'
import type { CommandContext } from '../context.js'
import { type BackendFlags, backendOptions } from '../options/backend.js'
import type { BenchFormat } from '../output/bench-table.js'
import { createProgressBar } from '../output/progress.js'
import { formatRecords } from '../output/records.js'

export interface KernelFlags extends BackendFlags {
  readonly precision?: number[]
  readonly repetitions: number
  readonly warmup: number
  readonly quiet?: boolean
}

/** `dpllm bench --kernels`: the CPU's products with bit-planes by themselves, against a plain read of memory. */
export async function runKernelBench(flags: KernelFlags, format: BenchFormat, { io, interrupts }: CommandContext): Promise<void> {
  const threads = flags.threads ?? availableParallelism()
  const stepProfile = emptyProfile()
  const { backend: _, ...options } = backendOptions(flags)
  await using backend = createBackend('cpu', { ...options, threads, stepProfile })
  using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
  const rows = await benchKernels(backend, {
    stepProfile,
    readMemory: (arrays) => readMemory(arrays, threads),
    bits: flags.precision,
    rounds: flags.repetitions,
    warmup: flags.warmup,
    signal: interrupts.signal,
    onProgress: bar.update,
  })
  bar[Symbol.dispose]()
  io.stdout.write(
    formatRecords(
      rows.map((row) => recordOf(row, threads)),
      format,
    ),
  )
}

function recordOf({ rows, cols, bits, gigabytesPerSecond, readGigabytesPerSecond, fraction }: KernelRow, threads: number) {
  return {
    matrix: `${rows} x ${cols}`,
    bits,
    threads,
    'GB/s': round(gigabytesPerSecond, 1),
    'read GB/s': round(readGigabytesPerSecond, 1),
    fraction: round(fraction.median, 3),
    'first quartile': round(fraction.low, 3),
    'third quartile': round(fraction.high, 3),
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
