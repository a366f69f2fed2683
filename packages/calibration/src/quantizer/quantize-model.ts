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
import { openCheckpoint, readText, writeCheckpointIndex, writeFileAtomic } from '@dpllm/core/node'
import { addConfigSection, type BackendName, copySideFiles, findSideFiles, parseModelConfig } from '@dpllm/runtime'
import { tuneInPlace } from '../tables/tune-in-place.js'
import type { TuneOptions } from '../tables/tune-settings.js'
import type { TuningReport } from '../tables/tuned-tables-file.js'
import { planTuning } from '../tables/tuning-plan.js'
import { outputFingerprint, sensitivityFingerprint, sourceFingerprint } from './fingerprint.js'
import { measureSensitivities, openSensitivityFolder } from './measure-sensitivities.js'
import {
  checkOutput,
  checkSensitivityFolder,
  openPartialFolder,
  partialFolder,
  publishFolder,
  removeSensitivities,
} from './output-folder.js'
import { type BitCounts, planUnits } from './quantization-plan.js'
import { createRowQuantizer, type RowQuantizer } from './row-quantizer.js'
import { type SensitivitySettings, sensitivitySettings } from './sensitivity-settings.js'
import { planShards } from './shards.js'
import { weightsIn, writeShards } from './write-shards.js'

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
   * What tells how much each weight matters:
   * - `fisher`: its squared gradients on the calibration text (`measureFisher`). The default where the CPU backend can be
   *   used; the original model and the sums are in memory meanwhile, and the sums, 4 bytes a weight, on the disk.
   * - `inputs`: how large its column's inputs are (`measureInputMoments`): no gradients. Otherwise the default.
   * - `none`: nothing; the model is not loaded, so that one much larger than memory can be quantized.
   */
  readonly sensitivity?: 'fisher' | 'inputs' | 'none' | undefined
  /** Text that the model reads for that. Default a page that comes with the package; false for `none`. */
  readonly calibrationText?: string | false | undefined
  /** Most windows of the calibration text, and their tokens. Default 128 of 256, for `inputs` 8 of 256. */
  readonly samples?: number | undefined
  readonly sequenceLength?: number | undefined
  /**
   * How far each row of the Fisher information moves towards the weights of `inputs`, 0 to 1 (`smoothedSensitivities`).
   * Default 0.75; 0 for the quantizer of reference mode, as Any-Precision has none.
   */
  readonly fisherSmoothing?: number | undefined
  /**
   * Folder that keeps the Fisher information for other runs on the same model, text and windows; made if need be. By
   * default it lies with the unfinished work and is removed with it.
   */
  readonly sensitivityFolder?: string | undefined
  /** Backend that the model is run on to measure sensitivities; default the fastest. */
  readonly backend?: BackendName | 'auto' | undefined
  /** Most bytes of gradients in memory (`measureFisher`). Default 6 GiB. */
  readonly accumulatorBytes?: number | undefined
  /** Seconds after which unfinished gradients and tables are written: what being killed can cost. Default 300. */
  readonly checkpointSeconds?: number | undefined
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
  /**
   * Tunes the tables at the end, so that the model predicts what the original predicts (`tuneTables`). By default where it
   * pays: with a text of the caller's own that is long enough, on native code, with our own quantizer. false: not at all.
   */
  readonly tuning?: false | TuneOptions | undefined
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
  /** What told how much each weight matters. */
  readonly sensitivity: SensitivitySettings['kind']
  /** What tuning the tables did, or why they were not tuned. */
  readonly tuning: TuningReport | string
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
    sensitivityFolder,
    signal,
  } = options
  const bits: BitCounts = { seedBits, maxBits, headBits }
  if (!(shardBytes > 0)) throw new InvalidArgumentError('shardBytes', 'a number of bytes above 0', shardBytes)
  await checkOutput(source, out, overwrite)
  if (sensitivityFolder !== undefined) checkSensitivityFolder(sensitivityFolder, out)
  const config = await readConfig(source)
  const sideFiles = await findSideFiles(source)
  await using checkpoint = await openCheckpoint(source)
  const shards = planShards(planUnits(checkpoint, config.model, bits), shardBytes)
  const sensitivity = sensitivitySettings(options)
  const quantizer = options.quantizer ?? createRowQuantizer({ threads: options.threads })
  const tuning = await planTuning({
    ...options,
    source,
    text: options.calibrationText || undefined,
    seedBits,
    maxBits,
    asPublished: quantizer.name === 'reference-mode',
  })
  const original = await sourceFingerprint(checkpoint, config.text)
  const settings = { bits, sensitivity, algorithm: quantizer.algorithm, tuning: typeof tuning === 'string' ? null : tuning }
  const fingerprints = {
    output: outputFingerprint(original, shards, settings),
    sensitivity: sensitivityFingerprint(original, sensitivity),
  }
  const modules = shards.flatMap((shard) => shard.modules)

  signal?.throwIfAborted()
  if (sensitivityFolder !== undefined) await openSensitivityFolder(sensitivityFolder, fingerprints.sensitivity)
  const finished = await openPartialFolder(out, shards, fingerprints, overwrite)
  const folder = partialFolder(out)
  try {
    const missing = shards.filter((shard) => !finished.has(shard.file))
    if (missing.length > 0) {
      const { accumulatorBytes, checkpointSeconds, backend, threads, onProgress } = options
      await using sensitivities = await measureSensitivities({
        source,
        settings: sensitivity,
        folder: sensitivityFolder ?? folder,
        fingerprint: fingerprints.sensitivity,
        modules: missing.flatMap((shard) => shard.modules.map(({ name }) => name)),
        accumulatorBytes,
        checkpointSeconds,
        backend,
        threads,
        signal,
        onProgress,
      })
      const before = weightsIn(shards) - weightsIn(missing)
      const fingerprint = fingerprints.output
      await writeShards(checkpoint, folder, missing, { before, fingerprint, quantizer, sensitivities, signal, onProgress })
    }
    await copySideFiles(sideFiles, source, folder)
    if (shards.length > 1)
      await writeCheckpointIndex(
        folder,
        shards.map((shard) => shard.file),
      )
    await writeFileAtomic(join(folder, 'config.json'), addConfigSection(config.text, bits, modules))
    await removeSensitivities(folder)
  } catch (error) {
    if (isInputError(error)) await rm(folder, { recursive: true, force: true })
    throw error
  }
  const tuned = await tuneInPlace({
    ...options,
    saveSeconds: options.checkpointSeconds,
    original: source,
    folder,
    identity: fingerprints.output,
    plan: tuning,
  })
  await publishFolder(out, overwrite)
  return {
    modules: modules.map((m) => m.name),
    weights: weightsIn(shards),
    shards: shards.length,
    resumedShards: finished.size,
    quantizer: quantizer.name,
    sensitivity: sensitivity.kind,
    tuning: tuned,
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

/** What the machine lacks for a while, disk or memory. */
const passing = new Set(['ERR_DPLLM_WRITE', 'ERR_DPLLM_BACKEND'])

/** An error that running again would meet again; after an abort or a passing one, finished files are worth keeping. */
function isInputError(error: unknown): boolean {
  return DpllmError.isInstance(error) && !passing.has(error.code)
}
