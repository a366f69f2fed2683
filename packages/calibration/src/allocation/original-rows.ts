import { type FloatTensor, floatDTypes, toFloat32 } from '@dpllm/core'
import { type Checkpoint, expectTensor, requireTensor } from '@dpllm/core/node'
import type { ModuleRowReader } from './quantization-errors.js'

/**
 * The weights of a checkpoint's linears, MODULE.weight, as rows f32.
 * @throws FileFormatError if a module has none, or no matrix of floating-point numbers
 */
export function originalRows(checkpoint: Checkpoint): ModuleRowReader {
  return async (module, first, count, options) => {
    const [rows, cols] = requireTensor(checkpoint, `${module}.weight`).shape
    const { name } = expectTensor(checkpoint, `${module}.weight`, floatDTypes, [rows, cols])
    return toFloat32((await checkpoint.readElements(name, first * cols, count * cols, options)) as FloatTensor)
  }
}
