import { FileFormatError, InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'
import { type GradientMode, gradientFilePath, openGradientFiles } from './gradient-files.js'
import { gradientGroups } from './gradient-groups.js'
import { type GradientSums, openGradientSums } from './gradient-sums.js'
import { linearsOf, type ProgramLinear } from './linears.js'
import { type GradientGroup, measureGroup } from './measure-group.js'

export interface MeasureGradientsOptions {
  /** Folder for the sums; a run that was interrupted goes on with what is in it. */
  readonly folder: string
  /** What the caller knows model, windows and settings by: files of another are refused. */
  readonly fingerprint: string
  /** Modules of the linears to measure; default all, the head as `lm_head`. */
  readonly modules?: readonly string[] | undefined
  /**
   * Most bytes of sums in memory, f32 for each weight: as many linears as fit are measured in one pass over the windows.
   * Default 6 GiB.
   */
  readonly accumulatorBytes?: number | undefined
  /** Seconds after which unfinished sums are written: what a killed run loses. Default 300. */
  readonly checkpointSeconds?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

const ACCUMULATOR_BYTES = 6 * 2 ** 30

/**
 * Measures the diagonal of the empirical Fisher information of weights: Σ over samples of the squared gradient of the
 * sample's loss, not divided by their number (Any-Precision LLM §3.1, its gradients.py; SqueezeLLM §3.2). A window is a
 * sample; its loss is the mean cross entropy of its tokens from the second on. Where windows have different lengths, all
 * losses are divided by the tokens of the longest, so that every token counts the same. Sums are f32.
 * @param windows tokens of the text, at least two each
 * @returns the sums, to be disposed of
 * @throws InvalidArgumentError for windows or modules that cannot be; FileFormatError if the folder holds another run's
 * files or damaged ones; DpllmError ERR_DPLLM_NOT_FINITE if gradients overflow; the signal's reason
 */
export async function measureFisher(
  model: Model,
  windows: readonly Uint32Array[],
  options: MeasureGradientsOptions,
): Promise<GradientSums> {
  return measure(model, windows, 'squares', options)
}

/** As `measureFisher`, but Σ of the gradients themselves; divided by `samples` it is the mean gradient of LLM-MQ. */
export async function measureGradientSums(
  model: Model,
  windows: readonly Uint32Array[],
  options: MeasureGradientsOptions,
): Promise<GradientSums> {
  return measure(model, windows, 'sum', options)
}

async function measure(
  model: Model,
  windows: readonly Uint32Array[],
  mode: GradientMode,
  options: MeasureGradientsOptions,
): Promise<GradientSums> {
  const { folder, fingerprint, onProgress } = options
  const shortest = Math.min(...windows.map((window) => window.length))
  if (!(shortest >= 2 && Number.isFinite(shortest)))
    throw new InvalidArgumentError(
      'windows',
      'windows of at least two tokens',
      `${windows.length} windows, the shortest of ${shortest}`,
    )
  const groups = await planGroups(model, mode, windows.length, options)
  const tokens = windows.reduce((sum, window) => sum + window.length - 1, 0)
  for (const [i, group] of groups.entries()) {
    await measureGroup(model, windows, group, {
      ...options,
      mode,
      onTokens: (done) =>
        onProgress?.({ stage: 'measure gradients', done: i * tokens + done, total: groups.length * tokens, unit: 'tokens' }),
    })
  }
  return openGradientSums(folder, mode, fingerprint)
}

/** The groups to be measured: first those that were begun, then what no file has. */
async function planGroups(
  model: Model,
  mode: GradientMode,
  total: number,
  { folder, fingerprint, modules, accumulatorBytes = ACCUMULATOR_BYTES }: MeasureGradientsOptions,
): Promise<GradientGroup[]> {
  const linears = new Map(linearsOf(decoderProgram(model.config).program).map((linear) => [linear.module, linear]))
  for (const module of modules ?? []) if (!linears.has(module)) throw new InvalidArgumentError('modules', 'linears', module)
  const rest = new Map([...linears].filter(([module]) => modules?.includes(module) ?? true))
  const begun: GradientGroup[] = []
  for (const opened of await openGradientFiles(folder, mode, fingerprint)) {
    await using found = opened
    const { path, tensors } = found.file
    const group: ProgramLinear[] = []
    for (const { name, shape } of tensors.values()) {
      const linear = linears.get(name)
      if (linear === undefined || shape[0] !== linear.rows || shape[1] !== linear.cols)
        throw new FileFormatError(path, `is of no linear of this model; its shape is [${shape}]`, { item: name })
      rest.delete(name)
      group.push(linear)
    }
    if (found.total !== total) throw new FileFormatError(path, `is of ${found.total} samples, not of ${total}`)
    if (found.done < total) begun.push({ linears: group, path, done: found.done })
  }
  const others = gradientGroups([...rest.values()], accumulatorBytes).map((group): GradientGroup => {
    const names = group.map(({ module }) => module)
    return { linears: group, path: gradientFilePath(folder, mode, names), done: 0 }
  })
  return [...begun, ...others]
}
