// For backends in native code: programs in numbers, and what runs them. The packages with the kernels share it; it may change
// with any version.
export type {
  NativeBinding,
  NativeCache,
  NativeEstimators,
  NativeHandle,
  NativePlan,
  NativeProgram,
  NativeStep,
} from './binding.js'
export { NativeCompiledProgram, type NativeParts } from './compiled-program.js'
export {
  floatTypes,
  type NativeEstimator,
  type NativePlanDescription,
  type NativeProgramDescription,
} from './description.js'
export { type LoweredProgram, lowerProgram } from './lower.js'
export { lowerEstimator } from './lower-estimator.js'
export { makePlan } from './plan.js'
