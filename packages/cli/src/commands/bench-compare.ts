import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  type BenchModel,
  type Comparison,
  type Contender,
  compareSpeed,
  modelContender,
  openLlamaCpp,
  speedChart,
} from '@dpllm/eval'
import type { PrecisionRequest } from '@dpllm/runtime'
import type { CommandContext } from '../context.js'
import type { BenchFormat } from '../output/bench-table.js'
import { createProgressBar } from '../output/progress.js'
import { formatRecords } from '../output/records.js'

export interface CompareFlags {
  /** GGUF files; true for none. */
  readonly compare?: string[] | true
  readonly svg?: string
  readonly promptTokens: number[]
  readonly maxTokens: number[]
  readonly repetitions: number
  readonly warmup: number
  readonly batchSize: number
  readonly quiet?: boolean
}

/** A model to compare, and what it is compared at. */
export interface CompareSubject {
  readonly name: string
  readonly model: BenchModel
  readonly requests: readonly PrecisionRequest[]
  readonly threads: number
}

/** `dpllm bench MODEL --compare FILE.gguf`: precisions by turns, and with llama.cpp, which node-llama-cpp brings along where it is installed. */
export async function runComparison(
  { name, model, requests, threads }: CompareSubject,
  flags: CompareFlags,
  format: BenchFormat,
  { io, interrupts }: CommandContext,
): Promise<void> {
  const positive = (counts: number[]) => counts.filter((n) => n > 0)
  const [promptTokens, generatedTokens] = [positive(flags.promptTokens), positive(flags.maxTokens)]
  const contextLength = Math.max(1, ...promptTokens, ...generatedTokens)
  const files = typeof flags.compare === 'object' ? flags.compare : []
  const contenders: Contender[] = []
  try {
    for (const file of files)
      contenders.push(await openLlamaCpp(path.resolve(file), { threads, contextLength, name: 'llama.cpp' }))
    for (const request of requests)
      contenders.push(modelContender(model, { name: 'dpllm', batchSize: flags.batchSize, ...request }))
    using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
    const found = await compareSpeed(contenders, {
      promptTokens,
      generatedTokens,
      vocabularySize: Math.min(256, model.config.vocabularySize),
      rounds: flags.repetitions,
      warmup: flags.warmup,
      signal: interrupts.signal,
      onProgress: bar.update,
    })
    bar[Symbol.dispose]()
    const models = [...files.map((file) => path.basename(file)), ...requests.map(() => name)]
    if (flags.svg) await writeFile(flags.svg, await speedChart(pointsOf(found), `${name}, ${threads} threads`))
    io.stdout.write(
      formatRecords(
        found.map((row, i) => recordOf(models[i % models.length], row)),
        format,
      ),
    )
  } finally {
    for (const contender of contenders) await contender[Symbol.asyncDispose]()
  }
}

/** Lines of a plot: one for each engine and test. */
function pointsOf(found: readonly Comparison[]) {
  return found.map(({ name, test, ...point }) => ({ ...point, name: `${name}, ${test}` }))
}

function recordOf(model: string, { name, test, bitsPerWeight, tokensPerSecond, speed }: Comparison) {
  return {
    model,
    engine: name,
    test,
    'bits/weight': Number(bitsPerWeight.toFixed(2)),
    't/s': Number(tokensPerSecond.toFixed(2)),
    'speed, × the first': Number(speed.median.toFixed(3)),
    'first quartile': Number(speed.low.toFixed(3)),
    'third quartile': Number(speed.high.toFixed(3)),
  }
}
