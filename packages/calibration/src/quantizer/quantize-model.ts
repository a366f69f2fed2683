import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DpllmError,
  InvalidArgumentError,
  isJsonObject,
  MAX_BITS,
  MIN_BITS,
  type OnProgress,
  parseJson,
  UnsupportedError,
} from '@dpllm/core'
import {
  type Checkpoint,
  openCheckpoint,
  readText,
  writeCheckpointIndex,
  writeFileAtomic,
  writeSafetensors,
} from '@dpllm/core/node'
import { addConfigSection, copySideFiles, findSideFiles, parseModelConfig } from '@dpllm/runtime'
import type { InputMoments } from '../sensitivity/input-moments.js'
import { calibrationSettings, columnWeightsOf, MOMENTS_FILE } from './column-weights.js'
import { fingerprintOf } from './fingerprint.js'
import { checkOutput, FINGERPRINT_KEY, openPartialFolder, partialFolder, publishFolder } from './output-folder.js'
import { type BitCounts, planUnits } from './quantization-plan.js'
import { createRowQuantizer, type RowQuantizer } from './row-quantizer.js'
import { planShards, type Shard, shardEntries } from './shards.js'

/** Where files are cut by default: a decoder block of a model with a billion parameters has 60 MB at 8 bits. */
const SHARD_BYTES = 2 ** 26

export interface QuantizeModelOptions {
  /** Bits of the exact k-means that the splits begin from, the fewest that the model can be read at. Default 3. */
  readonly seedBits?: number | undefined
  /** Most bits of the linears in the decoder blocks. Default 8. */
  readonly maxBits?: number | undefined
  /** Most bits of the output head; false leaves it as it is. Default 8. */
  readonly headBits?: number | false | undefined
  /**
   * Text that the model reads first, so that weights count as much as their inputs are large (`measureInputMoments`);
   * the whole original model is in memory meanwhile. Default a page that comes with the package; false: no reading, all
   * weights count the same, and a model much larger than memory can be quantized.
   */
  readonly calibrationText?: string | false | undefined
  /** Most windows of the calibration text, and their tokens. Default 8 of 256. */
  readonly samples?: number | undefined
  readonly sequenceLength?: number | undefined
  /** Threads of the native code; default one for each core. */
  readonly threads?: number | undefined
  /** Aborting keeps the finished files for a later run. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
  /** Where files of weights are cut, in bytes (a decoder block stays in one): what an interruption can cost. Default 64 MiB. */
  readonly shardBytes?: number | undefined
  /** Replaces the quantized model in `out`, and unfinished work for it. Default false. */
  readonly overwrite?: boolean | undefined
  /**
   * Default: native code where it can be loaded, otherwise TypeScript; both give the same bytes.
   * `referenceModeQuantizer` is for comparing with Any-Precision.
   */
  readonly quantizer?: RowQuantizer | undefined
}

/** What a run did. */
export interface QuantizeModelResult {
  /** Names of the modules that are bit-planes now. */
  readonly modules: readonly string[]
  /** Weights in them. */
  readonly weights: number
  /** Files of weights, and how many of them an earlier, interrupted run had finished. */
  readonly shards: number
  readonly resumedShards: number
  readonly quantizer: RowQuantizer['name']
}

/**
 * Quantizes a model in a Hugging Face style folder to nested bit-planes (docs/file-format.md), a few
 * megabytes of weights at a time. The files are made in `<out>.partial`, which becomes `out` when all are there. An
 * interrupted run, however it ended, is continued by calling again with the same arguments and gives the same bytes.
 * @param source folder with config.json, model.safetensors or shards and their index, and tokenizer files
 * @param out folder to be made
 * @throws FileFormatError for a source that cannot be used (nothing of the work stays then); UnsupportedError for an
 * architecture without a program; InvalidArgumentError if `out` exists or `<out>.partial` is of another source or
 * settings; the signal's reason
 */
export async function quantizeModel(
  source: string,
  out: string,
  options: QuantizeModelOptions = {},
): Promise<QuantizeModelResult> {
  const {
    seedBits = MIN_BITS,
    maxBits = MAX_BITS,
    headBits = MAX_BITS,
    shardBytes = SHARD_BYTES,
    overwrite = false,
    signal,
  } = options
  const bits: BitCounts = { seedBits, maxBits, headBits }
  if (!(shardBytes > 0)) throw new InvalidArgumentError('shardBytes', 'a number of bytes above 0', shardBytes)
  await checkOutput(source, out, overwrite)
  const config = await readConfig(source)
  const sideFiles = await findSideFiles(source)
  await using checkpoint = await openCheckpoint(source)
  const shards = planShards(planUnits(checkpoint, config.model, bits), shardBytes)
  const calibration = calibrationSettings(options)
  const quantizer = options.quantizer ?? createRowQuantizer({ threads: options.threads })
  const settings = { bits, calibration, algorithm: quantizer.algorithm }
  const fingerprint = await fingerprintOf(checkpoint, config.text, shards, settings)
  const modules = shards.flatMap((shard) => shard.modules)

  signal?.throwIfAborted()
  const finished = await openPartialFolder(out, shards, fingerprint, overwrite)
  const folder = partialFolder(out)
  try {
    const columnWeights = calibration && (await columnWeightsOf(source, folder, calibration, fingerprint, options))
    const { onProgress } = options
    await writeShards(checkpoint, folder, shards, { finished, fingerprint, quantizer, columnWeights, signal, onProgress })
    await copySideFiles(sideFiles, source, folder)
    if (shards.length > 1)
      await writeCheckpointIndex(
        folder,
        shards.map((shard) => shard.file),
      )
    await writeFileAtomic(join(folder, 'config.json'), addConfigSection(config.text, bits, modules))
    await rm(join(folder, MOMENTS_FILE), { force: true })
    await publishFolder(out, overwrite)
  } catch (error) {
    if (isInputError(error)) await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    modules: modules.map((m) => m.name),
    weights: weightsIn(shards),
    shards: shards.length,
    resumedShards: finished.size,
    quantizer: quantizer.name,
  }
}

async function readConfig(directory: string) {
  const file = join(directory, 'config.json')
  const text = await readText(file)
  const json = parseJson(text, { file })
  if (isJsonObject(json) && json.dpllm !== undefined)
    throw new UnsupportedError(`${file}: the model is quantized already; quantize the original`)
  if (isJsonObject(json) && json.quantization_config != null) {
    throw new UnsupportedError(
      `${file}: the weights are quantized in another format (quantization_config); quantize the original`,
    )
  }
  return { text, model: parseModelConfig(json, file) }
}

interface WriteShards extends Pick<QuantizeModelOptions, 'signal' | 'onProgress'> {
  readonly finished: ReadonlySet<string>
  readonly fingerprint: string
  readonly quantizer: RowQuantizer
  readonly columnWeights: InputMoments | false
}

async function writeShards(
  checkpoint: Checkpoint,
  folder: string,
  shards: readonly Shard[],
  options: WriteShards,
): Promise<void> {
  const { finished, fingerprint, quantizer, columnWeights, signal, onProgress } = options
  const total = weightsIn(shards)
  let done = weightsIn(shards.filter((shard) => finished.has(shard.file)))
  onProgress?.({ stage: 'quantize', done, total, unit: 'weights' })
  const onWeights = (count: number) => {
    done += count
    onProgress?.({ stage: 'quantize', done, total, unit: 'weights' })
  }
  for (const shard of shards) {
    if (finished.has(shard.file)) continue
    await writeSafetensors(
      join(folder, shard.file),
      shardEntries(checkpoint, shard, { quantizer, columnWeights: columnWeights || undefined, signal, onWeights }),
      {
        metadata: { format: 'pt', [FINGERPRINT_KEY]: fingerprint },
        signal,
      },
    )
  }
}

function weightsIn(shards: readonly Shard[]): number {
  return shards.reduce((sum, { modules }) => sum + modules.reduce((n, { rows, cols }) => n + rows * cols, 0), 0)
}

/** An error that running again would meet again; after an abort or a full disk, finished files are worth keeping. */
function isInputError(error: unknown): boolean {
  return DpllmError.isInstance(error) && error.code !== 'ERR_DPLLM_WRITE'
}
