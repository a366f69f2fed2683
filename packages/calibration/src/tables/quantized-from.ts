import {
  type BitPlaneWeight,
  dequantizeRow,
  type FloatTensor,
  InvalidArgumentError,
  isBitPlanes,
  toFloat32,
  UnsupportedError,
  type Weight,
} from '@dpllm/core'
import { type LoadOptions, loadModel, type Model, readModelConfig } from '@dpllm/runtime'

/** Rows of each matrix that are compared. */
const ROWS = 4
/** At 3 bits the squared error is some 4 % of the weights' squares; of another model it is twice them. */
const MOST_ERROR = 0.5

/**
 * Loads a quantized model with no more bits than tables are tuned for.
 * @throws InvalidArgumentError if it is not quantized, UnsupportedError if it has none of these bits; as `loadModel`
 */
export async function loadStudent(directory: string, bits: readonly number[], options: LoadOptions): Promise<Model> {
  const { quantization } = await readModelConfig(directory)
  if (quantization === undefined) throw new InvalidArgumentError('quantized', 'a quantized model', directory)
  const { seedBits, maxBits } = quantization
  if (!bits.some((b) => b >= seedBits && b <= maxBits))
    throw new UnsupportedError(`${directory}: it has ${seedBits} to ${maxBits} bits; tables of ${bits.join(', ')} bits are tuned`)
  return loadModel(directory, { ...options, maxBits: Math.min(maxBits, Math.max(...bits)) })
}

/**
 * Checks that a model was quantized from another: the same vocabulary, matrices of the same shapes, and at the most bits
 * loaded nearly the same values.
 * @throws InvalidArgumentError
 */
export function checkQuantizedFrom(student: Model, teacher: Model): void {
  if (student.linears.length === 0) throw new InvalidArgumentError('quantized', 'a quantized model', student.directory)
  const vocabulary = teacher.config.vocabularySize
  if (student.config.vocabularySize !== vocabulary)
    throw new InvalidArgumentError(
      'quantized',
      `a vocabulary of ${vocabulary} tokens, as the original`,
      student.config.vocabularySize,
    )
  const pairs = student.linears.map(({ module }) => {
    const planes = student.weights.get(`${module}.weight`) as BitPlaneWeight
    return { module, planes, original: originalOf(teacher, module, planes) }
  })
  for (const { module, planes, original } of pairs) {
    const error = relativeError(planes, original)
    if (!(error <= MOST_ERROR)) {
      const found = `${module} of ${student.directory}, which differs from ${teacher.directory} (relative error ${error.toFixed(2)})`
      throw new InvalidArgumentError('original', 'the model that was quantized', found)
    }
  }
}

/**
 * The original of a quantized matrix.
 * @throws InvalidArgumentError if it is quantized, too, or has another shape
 */
export function originalOf(teacher: Model, module: string, { rows, cols }: BitPlaneWeight): FloatTensor {
  const weight: Weight | undefined = teacher.weights.get(`${module}.weight`)
  if (weight === undefined || isBitPlanes(weight))
    throw new InvalidArgumentError('original', `an unquantized model with ${module}.weight`, teacher.directory)
  if (weight.shape.join() !== `${rows},${cols}`)
    throw new InvalidArgumentError('original', `${module}.weight of shape [${rows}, ${cols}]`, `[${weight.shape.join(', ')}]`)
  return weight
}

/** ‖W − Ŵ‖² / ‖W‖² over the first rows. */
function relativeError(planes: BitPlaneWeight, { dtype, data }: FloatTensor): number {
  const { rows, cols, maxBits } = planes
  const quantized = new Float32Array(cols)
  let [errors, squares] = [0, 0]
  for (let row = 0; row < Math.min(ROWS, rows); row++) {
    const original = toFloat32({ dtype, shape: [cols], data: data.subarray(row * cols, (row + 1) * cols) } as FloatTensor)
    dequantizeRow(planes, maxBits, row, quantized)
    for (let k = 0; k < cols; k++) {
      errors += (original[k] - quantized[k]) ** 2
      squares += original[k] ** 2
    }
  }
  return squares > 0 ? errors / squares : errors
}
