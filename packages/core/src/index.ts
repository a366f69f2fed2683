export type { Backend, CompiledProgram, KeyValueCache, Step, StepResult } from './backend/backend.js'
export {
  decideBits,
  type Estimator,
  type Policy,
  pairThresholds,
  staticPolicy,
  staticThresholds,
  THRESHOLDS,
} from './backend/policy.js'
export { emptyProfile, profileSince, type StepProfile } from './backend/step-profile.js'
export { dequantize, dequantizeRow, truncateBits } from './bit-planes/dequantize.js'
export { packPlanes, unpackPlanes } from './bit-planes/pack.js'
export {
  type BitPlaneWeight,
  checkBitPlaneWeight,
  lutOf,
  MAX_BITS,
  MIN_BITS,
  tableEntries,
  tableOffset,
  wordsPerRow,
} from './bit-planes/weight.js'
export { BackendUnavailableError, DpllmError, FileFormatError, InvalidArgumentError, UnsupportedError } from './errors.js'
export { firstNonFinite } from './finite.js'
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, toFloat16, toFloat32 } from './float16.js'
export { distillationProgram } from './gradient/distillation-program.js'
export { type GradientOptions, gradientProgram } from './gradient/gradient-program.js'
export { mixedProgram } from './gradient/mixed-program.js'
export { accumulatorName, averageBitsName, givenName, gradientName, type WeightGradient } from './gradient/names.js'
export { type DifferentiableOperator, type GradientRule, gradientRules } from './gradient/rules.js'
export { duplicateKey, isJsonObject, type JsonLimits, parseJson } from './json.js'
export { checkProgram } from './program/check.js'
export type {
  Accumulate,
  AccumulateMode,
  AccumulateTables,
  AttentionGradient,
  BitsGradient,
  Concat,
  CrossEntropyGradient,
  GateGradient,
  GradientOperator,
  KlDivergence,
  KlDivergenceGradient,
  LinearTransposed,
  MixedLinear,
  MixedLinearTransposed,
  Put,
  RmsNormGradient,
  TokenErrors,
} from './program/gradient-operators.js'
export {
  type Activation,
  type Add,
  type Attention,
  type CrossEntropy,
  type Embed,
  type Gate,
  type Linear,
  type ModelOperator,
  type Operator,
  operands,
  type RmsNorm,
  type Rope,
  type Select,
  type Split,
  type Take,
  weightsOf,
} from './program/operators.js'
export { type Accumulator, type Dimension, type Program, programInputs, type ValueInfo } from './program/program.js'
export { lastReads, neededOperators } from './program/prune.js'
export { rowWidth } from './program/shape-checks.js'
export { isBitPlanes, matrixShape, type Weight, type Weights, weightBytes } from './program/weights.js'
export type { OnProgress, Progress } from './progress.js'
export { createRandom, type Random } from './random.js'
export { erf } from './reference/activations.js'
export { createReferenceBackend } from './reference/backend.js'
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
  floatDTypes,
  type Tensor,
  typedArray,
} from './tensor.js'
