import { createHash } from 'node:crypto'
import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { type AskOptions, answerSample, type SampleResult, type TaskModel } from './answer.js'
import { openResultFile, type ResultFile, type RunIdentity } from './result-file.js'
import { summarize, type TaskSummary } from './summarize.js'
import type { Task, TaskSample } from './task.js'

/** Raised when the same samples and settings give other results than before, so that no file mixes both. */
const VERSION = 1

export interface RunTaskOptions extends AskOptions {
  /** Only the first so many samples. */
  readonly limit?: number | undefined
  /** File that results are added to, a line for each sample; a run that was ended goes on where it was. */
  readonly output?: string | undefined
  /** What else decides the results: the model, the backend. A file of other values is refused. */
  readonly identity?: RunIdentity | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
  /** Called with every result, those found in the file included. */
  readonly onResult?: ((result: SampleResult, index: number) => void) | undefined
}

/**
 * Asks a model a task's questions, one after another, each by itself: the results are the same whether the run was ended and
 * taken up again or not, and a run of more samples begins with those of fewer.
 * @throws InvalidArgumentError if `output` is another run's, or for a precision that the model cannot give
 */
export async function runTask(
  model: TaskModel,
  task: Pick<Task, 'name' | 'metrics'>,
  samples: readonly TaskSample[],
  options: RunTaskOptions = {},
): Promise<TaskSummary> {
  const { limit, output, identity, signal, onProgress, onResult, ...ask } = options
  const chosen = samples.slice(0, limit)
  if (chosen.length === 0) throw new InvalidArgumentError('samples', 'at least one', 'none')
  const run = { task: task.name, version: VERSION, samples: fingerprint(samples), ...identity, ...settings(ask) }
  await using file = output === undefined ? undefined : await openResultFile(output, run)
  const found = checkOrder(file, samples).slice(0, chosen.length)
  const results: SampleResult[] = []
  for (const [index, sample] of chosen.entries()) {
    signal?.throwIfAborted()
    let result = found[index]
    if (result === undefined) {
      result = await answerSample(model, sample, ask, signal)
      // Once answered a sample counts, even if the signal came meanwhile.
      await file?.append(result)
    }
    results.push(result)
    onResult?.(result, index)
    onProgress?.({ stage: task.name, done: index + 1, total: chosen.length, unit: 'samples' })
  }
  return summarize(task.metrics, results)
}

/** SHA-256 of all that is asked. */
function fingerprint(samples: readonly TaskSample[]): string {
  const hash = createHash('sha256')
  for (const { grade: _, ...asked } of samples) hash.update(`${JSON.stringify(asked)}\n`)
  return hash.digest('hex')
}

/** In one order, absent ones as null, so that the same settings are the same text. */
function settings(ask: AskOptions): RunIdentity {
  const { targetBits, precision, method, feedback, dynamicScoring, maxTokens, addSpecialTokens } = ask
  const all = { targetBits, precision, method, maxTokens }
  return {
    ...Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value ?? null])),
    feedback: feedback ?? true,
    dynamicScoring: dynamicScoring ?? false,
    addSpecialTokens: addSpecialTokens ?? true,
  }
}

function checkOrder(file: ResultFile | undefined, samples: readonly TaskSample[]): readonly SampleResult[] {
  const results = file?.results ?? []
  const wrong = results.findIndex((result, i) => result.id !== samples[i]?.id)
  if (wrong >= 0)
    throw new InvalidArgumentError('output', `sample ${samples[wrong]?.id ?? 'none'} in line ${wrong + 2}`, results[wrong].id)
  return results
}
