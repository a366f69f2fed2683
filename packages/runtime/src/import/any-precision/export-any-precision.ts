import path from 'node:path'
import { FileFormatError, isJsonObject, type OnProgress, type Tensor, UnsupportedError } from '@dpllm/core'
import { type Checkpoint, openCheckpoint, readJson, writeFileAtomic } from '@dpllm/core/node'
import { parseModelConfig } from '../../config/read-config.js'
import { copySideFiles, findSideFiles } from '../../folder/side-files.js'
import { TORCH_CHECKPOINT_FILE } from '../torch/torch-checkpoint.js'
import { type TorchEntry, writeTorchFile } from '../torch/write-torch-file.js'
import { writeWholeFolder } from '../whole-folder.js'
import { type ExportedTensor, type ExportPlan, planExport, type StoredModule } from './export-plan.js'
import { asHalves, dequantizedHalves } from './half-precision.js'
import { toAnyPrecision } from './permutation.js'
import { readRows } from './read-rows.js'
import { readTable } from './read-table.js'

export interface ExportAnyPrecisionOptions {
  /** Folder of a quantized model. */
  readonly model: string
  /** The folder to make. */
  readonly out: string
  /** Replace `out` if it is a model's folder. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What was exported. */
export interface ExportedModel {
  readonly directory: string
  readonly seedBits: number
  readonly maxBits: number
  /** Linears that Any-Precision reads as bit-planes. */
  readonly modules: number
  /** What became of a head that was bit-planes: that format keeps heads dense. */
  readonly head: 'dense' | 'tied'
}

/**
 * Writes a quantized model as Any-Precision LLM packs them: `pytorch_model.bin`, config.json with a member "anyprec",
 * tokenizer files. Codes and tables are the same, bits in its order; everything else is in half precision. A quantized head
 * becomes the embedding it is tied to, or dense at its most bits. Profiles stay behind.
 * @throws UnsupportedError for what that format cannot say; FileFormatError naming file and tensor; InvalidArgumentError if
 * `out` is there already or holds the model
 */
export async function exportAnyPrecision(options: ExportAnyPrecisionOptions): Promise<ExportedModel> {
  const { model, out, overwrite = false, signal, onProgress } = options
  const file = path.join(model, 'config.json')
  const json = await readJson(file)
  if (!isJsonObject(json)) throw new FileFormatError(file, 'expected a JSON object')
  const config = parseModelConfig(json, file)
  if (config.quantization === undefined) throw new UnsupportedError(`${model}: is not quantized (run dpllm quantize first)`)
  const sideFiles = await findSideFiles(model)
  await using checkpoint = await openCheckpoint(model)
  const plan = planExport(checkpoint, config)
  signal?.throwIfAborted()
  await writeWholeFolder(out, { overwrite, source: model }, async (folder) => {
    const entries = plan.tensors.flatMap((tensor) => torchEntries(checkpoint, tensor, signal))
    await writeTorchFile(path.join(folder, TORCH_CHECKPOINT_FILE), entries, {
      signal,
      onProgress: (p) => onProgress?.({ ...p, stage: 'export' }),
    })
    await copySideFiles(sideFiles, model, folder)
    await writeFileAtomic(path.join(folder, 'config.json'), `${JSON.stringify(exportedConfig(json, plan), null, 2)}\n`)
  })
  const { seedBits, maxBits, tensors } = plan
  return {
    directory: out,
    seedBits,
    maxBits,
    modules: tensors.filter(({ kind }) => kind === 'module').length,
    head: config.tiedEmbeddings ? 'tied' : 'dense',
  }
}

/** The original config with what Any-Precision's loader reads (its pack.py). */
function exportedConfig({ dpllm: _, ...json }: Record<string, unknown>, plan: ExportPlan): Record<string, unknown> {
  const dtype = 'dtype' in json && !('torch_dtype' in json) ? 'dtype' : 'torch_dtype'
  return {
    ...json,
    [dtype]: 'float16',
    anyprec: {
      seed_precision: plan.seedBits,
      parent_precision: plan.maxBits,
      group_count: 1,
      arch_config: { module_names: plan.moduleNames, model_name: 'model', layers_name: 'layers' },
    },
  }
}

function torchEntries(checkpoint: Checkpoint, tensor: ExportedTensor, signal: AbortSignal | undefined): TorchEntry[] {
  switch (tensor.kind) {
    case 'module':
      return moduleEntries(checkpoint, tensor.module, signal)
    case 'copy': {
      const { name, shape } = tensor.copy
      return [{ name, dtype: 'f16', shape, data: () => asHalves(checkpoint, tensor.copy, signal) }]
    }
    case 'dense': {
      const { name, rows, cols } = tensor.head
      const data = () => dequantizedHalves(checkpoint, tensor.head, { signal })
      return [{ name: `${name}.weight`, dtype: 'f16', shape: [rows, cols], data }]
    }
    case 'tied':
      return [tensor]
  }
}

function moduleEntries(checkpoint: Checkpoint, module: StoredModule, signal: AbortSignal | undefined): TorchEntry[] {
  const { name, planes, tables } = module
  return [
    { name: `${name}.qweight`, dtype: 'i32', shape: planes.shape, data: () => theirPlanes(checkpoint, module, signal) },
    ...tables.map((table) => ({
      name: table.name,
      dtype: 'f16' as const,
      shape: table.shape,
      data: () => readTable(checkpoint, table, { signal }),
    })),
  ]
}

async function* theirPlanes(checkpoint: Checkpoint, { planes }: StoredModule, signal: AbortSignal | undefined) {
  for await (const rows of readRows(checkpoint, planes, signal)) {
    yield toAnyPrecision((rows as Tensor<'u32'>).data, planes.shape[2])
  }
}
