export type { Backend, CompiledProgram, KeyValueCache, Step, StepResult } from './backend/backend.js'
export { checkEstimators } from './backend/check-policy.js'
export {
  decideBits,
  type Estimator,
  type Policy,
  pairThresholds,
  staticPolicy,
  staticThresholds,
  THRESHOLDS,
} from './backend/policy.js'
export { type CheckedStep, checkStep } from './backend/step.js'
export { dequantize, dequantizeRow, truncateBits } from './bit-planes/dequantize.js'
export { packPlanes, unpackPlanes } from './bit-planes/pack.js'
export { type BitPlaneWeight, checkBitPlaneWeight, lutOf, MAX_BITS, MIN_BITS, wordsPerRow } from './bit-planes/weight.js'
export { BackendUnavailableError, DpllmError, FileFormatError, InvalidArgumentError, UnsupportedError } from './errors.js'
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, toFloat16, toFloat32 } from './float16.js'
export { duplicateKey, isJsonObject, type JsonLimits, parseJson } from './json.js'
export { checkProgram, rowWidth } from './program/check.js'
export {
  type Activation,
  type Add,
  type Attention,
  type CrossEntropy,
  type Embed,
  type Gate,
  type Linear,
  type Operator,
  operands,
  type RmsNorm,
  type Rope,
  type Select,
  type Split,
  type Take,
  weightsOf,
} from './program/operators.js'
export { type Dimension, type Program, programInputs, type ValueInfo } from './program/program.js'
export { lastReads, neededOperators } from './program/prune.js'
export { isBitPlanes, matrixShape, type Weight, type Weights } from './program/weights.js'
export { createRandom, type Random } from './random.js'
export { createReferenceBackend } from './reference/backend.js'
export { erf } from './reference/operators.js'
export {
  MAX_DIMENSIONS,
  MAX_HEADER_BYTES,
  MAX_NAME_LENGTH,
  MAX_TENSORS,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from './safetensors/format.js'
export { parseHeaderLength, parseSafetensorsHeader } from './safetensors/parse.js'
export { layoutTensors, serializeSafetensorsHeader, type TensorDeclaration } from './safetensors/serialize.js'
export {
  type ArrayOfDType,
  bytesPerElement,
  type DType,
  elementCount,
  type FloatTensor,
  type Tensor,
  typedArray,
} from './tensor.js'
