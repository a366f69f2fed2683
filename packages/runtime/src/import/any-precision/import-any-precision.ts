import path from 'node:path'
import { FileFormatError, type OnProgress, type Tensor } from '@dpllm/core'
import {
  CHECKPOINT_FILE,
  CHECKPOINT_INDEX_FILE,
  type Checkpoint,
  exists,
  openCheckpoint,
  type TensorEntry,
  writeCheckpoint,
  writeFileAtomic,
} from '@dpllm/core/node'
import { moduleTensors } from '../../folder/bit-plane-module.js'
import { addConfigSection } from '../../folder/config-section.js'
import { copyTensor } from '../../folder/copy-tensor.js'
import { copySideFiles, findSideFiles } from '../../folder/side-files.js'
import { countParameters } from '../../models/count-parameters.js'
import { decoderProgram } from '../../models/decoder.js'
import type { ImportedModel } from '../imported-model.js'
import { openTorchCheckpoint, TORCH_CHECKPOINT_FILE } from '../torch/torch-checkpoint.js'
import { writeWholeFolder } from '../whole-folder.js'
import { readAnyPrecisionConfig } from './any-precision-config.js'
import { type PackedModule, type PlannedTensor, planImport } from './import-plan.js'
import { fromAnyPrecision } from './permutation.js'
import { readRows } from './read-rows.js'
import { readTable } from './read-table.js'

export interface ImportAnyPrecisionOptions {
  /** Folder that Any-Precision LLM packed: config.json, pytorch_model.bin or safetensors, tokenizer files. */
  readonly source: string
  /** The folder to make. */
  readonly out: string
  /** Replace `out` if it is a model's folder. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What was imported. */
export interface ImportedAnyPrecision extends ImportedModel {
  readonly seedBits: number
  readonly maxBits: number
  /** Names of the modules that are bit-planes. */
  readonly modules: readonly string[]
}

/**
 * Turns a packed Any-Precision model into a folder of ours (docs/file-format.md): the same codes and tables, bits in our
 * order; all other tensors as they are. The folder appears whole or not at all; a few megabytes are in memory at a time.
 * @throws FileFormatError naming file and tensor; UnsupportedError for an architecture without a program, groups of columns
 * or fewer than 3 bits; InvalidArgumentError if `out` is there already or holds the source
 */
export async function importAnyPrecision(options: ImportAnyPrecisionOptions): Promise<ImportedAnyPrecision> {
  const { source, out, overwrite = false, signal, onProgress } = options
  const config = await readAnyPrecisionConfig(source)
  const sideFiles = await findSideFiles(source)
  await using checkpoint = await openPackedCheckpoint(source)
  const planned = planImport(checkpoint, config)
  const modules = planned.flatMap((p) => ('module' in p ? [p.module] : []))
  signal?.throwIfAborted()
  await writeWholeFolder(out, { overwrite, source }, async (folder) => {
    await writeCheckpoint(
      folder,
      planned.flatMap((p) => tensorEntries(checkpoint, p, signal)),
      { metadata: { format: 'pt' }, signal, onProgress: (p) => onProgress?.({ ...p, stage: 'import' }) },
    )
    await copySideFiles(sideFiles, source, folder)
    const text = addConfigSection(JSON.stringify(config.json, null, 2), config, modules)
    await writeFileAtomic(path.join(folder, 'config.json'), text)
  })
  return {
    directory: out,
    parameters: countParameters(decoderProgram(config.model), config.model),
    layers: config.model.layers,
    vocabularySize: config.model.vocabularySize,
    seedBits: config.seedBits,
    maxBits: config.maxBits,
    modules: modules.map(({ name }) => name),
  }
}

/** Any-Precision writes pytorch_model.bin; its loader takes safetensors as well. */
async function openPackedCheckpoint(source: string): Promise<Checkpoint> {
  if (await exists(path.join(source, TORCH_CHECKPOINT_FILE))) return openTorchCheckpoint(source)
  for (const file of [CHECKPOINT_FILE, CHECKPOINT_INDEX_FILE]) {
    if (await exists(path.join(source, file))) return openCheckpoint(source)
  }
  throw new FileFormatError(source, `expected ${TORCH_CHECKPOINT_FILE} or ${CHECKPOINT_FILE} in this folder, found neither`)
}

function tensorEntries(checkpoint: Checkpoint, planned: PlannedTensor, signal: AbortSignal | undefined): TensorEntry[] {
  if ('module' in planned) return moduleEntries(checkpoint, planned.module, signal)
  const { name, dtype, shape } = planned.copy
  return [{ name, dtype, shape, data: () => copyTensor(checkpoint, planned.copy, signal) }]
}

function moduleEntries(checkpoint: Checkpoint, module: PackedModule, signal: AbortSignal | undefined): TensorEntry[] {
  const { tables } = module
  return moduleTensors(module).map((declaration, i) => ({
    ...declaration,
    data: () => (i === 0 ? ourPlanes(checkpoint, module, signal) : readTable(checkpoint, tables[i - 1], { signal })),
  }))
}

async function* ourPlanes(checkpoint: Checkpoint, { planes }: PackedModule, signal: AbortSignal | undefined) {
  for await (const rows of readRows(checkpoint, planes, signal)) {
    yield fromAnyPrecision((rows as Tensor<'i32'>).data, planes.shape[2])
  }
}
