import { bytesPerElement, elementCount, InvalidArgumentError, type TensorDeclaration } from '@dpllm/core'
import { CHECKPOINT_FILE, type Checkpoint, MAX_SHARDS, shardFileName, type TensorEntry } from '@dpllm/core/node'
import { copyTensor, moduleTensors } from '@dpllm/runtime'
import type { QuantizedModule, Unit } from './quantization-plan.js'
import { type QuantizeMatrixOptions, quantizeMatrix } from './quantize-matrix.js'

/** One file of the quantized model: what is written at once, and what a resumed run has or has not. */
export interface Shard extends Unit {
  readonly file: string
}

/**
 * Fills files with consecutive units up to `shardBytes` each; a larger unit has a file of its own. One file alone is
 * called model.safetensors.
 * @throws InvalidArgumentError for more files than readers open
 */
export function planShards(units: readonly Unit[], shardBytes: number): Shard[] {
  const groups: Unit[][] = []
  let room = 0
  for (const unit of units) {
    const bytes = unitTensors(unit).reduce((sum, { dtype, shape }) => sum + bytesPerElement[dtype] * elementCount(shape), 0)
    if (groups.length === 0 || bytes > room) {
      groups.push([])
      room = shardBytes
    }
    groups[groups.length - 1].push(unit)
    room -= bytes
  }
  if (groups.length > MAX_SHARDS) {
    throw new InvalidArgumentError('shardBytes', `enough for the model to fit in ${MAX_SHARDS} files`, shardBytes)
  }
  return groups.map((group, i) => ({
    file: groups.length === 1 ? CHECKPOINT_FILE : shardFileName(i + 1, groups.length),
    modules: group.flatMap((unit) => unit.modules),
    copies: group.flatMap((unit) => unit.copies),
  }))
}

/** Names, dtypes and shapes of the tensors that are written for a unit or shard. */
export function unitTensors({ copies, modules }: Unit): TensorDeclaration[] {
  return [...copies.map(({ name, dtype, shape }) => ({ name, dtype, shape })), ...modules.flatMap(moduleTensors)]
}

/** The tensors of a shard with functions that read, quantize and give their data when their turn to be written comes. */
export function shardEntries(checkpoint: Checkpoint, { copies, modules }: Shard, options: QuantizeMatrixOptions): TensorEntry[] {
  const copied = copies.map(
    (info): TensorEntry => ({
      name: info.name,
      dtype: info.dtype,
      shape: info.shape,
      data: () => copyTensor(checkpoint, info, options.signal),
    }),
  )
  return [...copied, ...modules.flatMap((module) => moduleEntries(checkpoint, module, options))]
}

function moduleEntries(checkpoint: Checkpoint, module: QuantizedModule, options: QuantizeMatrixOptions): TensorEntry[] {
  let pending: ReturnType<typeof quantizeMatrix> | undefined
  const quantized = () => {
    pending ??= quantizeMatrix(checkpoint, module, options)
    return pending
  }
  return moduleTensors(module).map((declaration, i) => ({
    ...declaration,
    data: async () => (i === 0 ? (await quantized()).planes : (await quantized()).luts[i - 1]),
  }))
}
