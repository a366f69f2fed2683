import { FileFormatError } from '../errors.js'
import type { DType } from '../tensor.js'
import type { Checkpoint } from './checkpoint.js'
import type { TensorInfo } from './safetensors-file.js'

/**
 * A tensor that a model needs, before it is read.
 * @throws FileFormatError if it is not there, or of a dtype that is not read
 */
export function requireTensor(checkpoint: Checkpoint, name: string): TensorInfo {
  const info = checkpoint.tensors.get(name)
  if (info !== undefined) return info
  const dtype = checkpoint.unread.get(name)
  const message =
    dtype === undefined
      ? 'the model needs this tensor, and no file of the folder has it'
      : `the model needs this tensor, and dtype ${dtype} is not read; convert it to F32, F16 or BF16`
  throw new FileFormatError(checkpoint.directory, message, { item: name })
}

/**
 * The same, of one of `dtypes` and of just this shape.
 * @throws FileFormatError naming file and tensor
 */
export function expectTensor(
  checkpoint: Checkpoint,
  name: string,
  dtypes: readonly DType[],
  shape: readonly number[],
): TensorInfo {
  const info = requireTensor(checkpoint, name)
  if (!dtypes.includes(info.dtype))
    throw new FileFormatError(info.file, `expected dtype ${dtypes.join(' or ')}, found ${info.dtype}`, { item: name })
  if (info.shape.join() !== shape.join()) {
    throw new FileFormatError(info.file, `expected shape [${shape}] from config.json, found [${info.shape}]`, { item: name })
  }
  return info
}
