import path from 'node:path'
import { bytesPerElement, type DType, FileFormatError, InvalidArgumentError, typedArray } from '@dpllm/core'
import type { Checkpoint, TensorInfo } from '@dpllm/core/node'
import { describeValue, ofKind, type PickleValue } from './pickle/pickle-values.js'
import type { TorchDType, TorchTensor } from './pickle/torch-tensor.js'
import { openTorchFile } from './torch-file.js'

/** Weights of a folder as one file of torch.save. */
export const TORCH_CHECKPOINT_FILE = 'pytorch_model.bin'

/** Our name for a dtype, for those that models are made of; the others as safetensors spells them. */
const dtypes: Readonly<Record<TorchDType, DType | undefined>> = {
  f32: 'f32',
  f16: 'f16',
  bf16: 'bf16',
  i32: 'i32',
  u8: 'u8',
  f64: undefined,
  i64: undefined,
  i16: undefined,
  i8: undefined,
  bool: undefined,
}

/**
 * Opens `pytorch_model.bin` of a folder, a state dict, as `openCheckpoint` opens safetensors files. Tensors that share a
 * storage (a tied head and its embedding) are tensors of their own here.
 * @throws FileFormatError naming the file and, where there is one, the tensor
 */
export async function openTorchCheckpoint(directory: string): Promise<Checkpoint> {
  const file = await openTorchFile(path.join(directory, TORCH_CHECKPOINT_FILE))
  try {
    const views = stateDict(file.value, file.path)
    const tensors = new Map<string, TensorInfo>()
    const unread = new Map<string, string>()
    for (const [name, { dtype: stored, shape, elements }] of views) {
      const dtype = dtypes[stored]
      if (dtype === undefined) unread.set(name, stored.toUpperCase())
      else tensors.set(name, { name, dtype, shape, file: file.path, byteLength: elements * bytesPerElement[dtype] })
    }
    const find = (name: string) => {
      const [info, view] = [tensors.get(name), views.get(name)]
      if (info !== undefined && view !== undefined) return { info, view }
      const message = view === undefined ? 'the tensor is missing' : `dtype ${view.dtype} is not read`
      throw new FileFormatError(file.path, message, { item: name })
    }
    const readElements: Checkpoint['readElements'] = async (name, first, count, { signal } = {}) => {
      const { info, view } = find(name)
      const inside = Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0
      if (!inside || first + count > view.elements) {
        throw new InvalidArgumentError(name, `a range of its ${view.elements} elements`, `${count} elements from ${first}`)
      }
      const buffer = await file.readElements(view, first, count, { item: name, signal })
      return { dtype: info.dtype, shape: [count], data: typedArray(info.dtype, buffer, 0, count) }
    }
    return {
      directory,
      tensors,
      unread,
      read: async (name, options) => {
        const { info, view } = find(name)
        return { ...(await readElements(name, 0, view.elements, options)), shape: info.shape }
      },
      readElements,
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    }
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

/** The tensors of a state dict by name. */
function stateDict(value: PickleValue, file: string): Map<string, TorchTensor> {
  if (!ofKind(value, 'dict')) throw new FileFormatError(file, `expected a dict of tensors, found ${describeValue(value)}`)
  const tensors = new Map<string, TorchTensor>()
  for (const [name, tensor] of value.entries) {
    if (typeof name !== 'string') throw new FileFormatError(file, `expected names for keys, found ${describeValue(name)}`)
    if (!ofKind(tensor, 'tensor')) {
      throw new FileFormatError(file, `expected a tensor, found ${describeValue(tensor)}`, { item: name })
    }
    if (tensors.has(name)) throw new FileFormatError(file, 'is there twice', { item: name })
    tensors.set(name, tensor)
  }
  return tensors
}
