export {
  type Allocation,
  type AverageBudget,
  allocateBits,
  type CostedLinear,
  capBits,
} from './allocation/allocate-bits.js'
export { allocateMemory, loadedBytes, type MemoryAllocation, type SizedLinear } from './allocation/allocate-memory.js'
export { blockImportance, jaccard } from './allocation/block-importance.js'
export {
  costedLinears,
  fisherCosts,
  hawqV2Costs,
  hawqV2MeanCosts,
  llmMqCosts,
  lsaqCosts,
} from './allocation/cost-tables.js'
export { hitTarget, nearestAverages, type TargetAllocation, type TargetOptions } from './allocation/hit-target.js'
export { InfeasibleAllocationError } from './allocation/infeasible.js'
export { type KnapsackGroup, type KnapsackLimits, type KnapsackSolution, solveKnapsack } from './allocation/knapsack.js'
export { blockResiduals, type LogitLens, logitLens } from './allocation/logit-lens.js'
export { chooseMaxBits } from './allocation/max-bits.js'
export { type ErrorSource, measureAllErrors } from './allocation/measure-all-errors.js'
export { type MeasureBlockImportanceOptions, measureBlockImportance } from './allocation/measure-block-importance.js'
export { originalRows } from './allocation/original-rows.js'
export {
  type ErrorReaders,
  type ModuleRowReader,
  measureErrors,
  type QuantizationErrors,
} from './allocation/quantization-errors.js'
export { type MemoryLevels, splitLevels, splitMemory } from './allocation/split-levels.js'
export { lsaqLevels, type StaticAllocationOptions, type StaticMethod, staticAllocation } from './allocation/static-allocation.js'
export { topTokens } from './allocation/top-tokens.js'
export type { AverageBitsCheckpoint, TrainAverageBitsOptions } from './average-bits/options.js'
export type { AverageBitsInit } from './average-bits/start.js'
export {
  type AverageBits,
  type AverageBitsTrainer,
  createAverageBitsTrainer,
  trainAverageBits,
} from './average-bits/train-average-bits.js'
export { type CalibratedLinear, type CalibrateProbesOptions, calibrateProbes } from './budget/calibrate-probes.js'
export { type FitProbeOptions, fitProbe, type Probe, type ProbeFit } from './budget/fit-probe.js'
export { meanErrorCosts } from './budget/mean-error-costs.js'
export { type MeasureOutputErrorsOptions, measureOutputErrors } from './budget/measure-output-errors.js'
export type { LinearErrors, OutputErrors } from './budget/output-errors.js'
export { calibrateModel } from './calibrate/calibrate-model.js'
export { type CalibrateOptions, type CalibrationMethod, calibrationMethods } from './calibrate/calibrate-options.js'
export { type EstimatorName, estimatorNames } from './calibrate/methods/threshold-policy.js'
export { calibrationWindows, DOCUMENT_SEPARATOR } from './calibrate/windows.js'
export { type QuantizeModelOptions, type QuantizeModelResult, quantizeModel } from './quantizer/quantize-model.js'
export { type QuantizeRowsOptions, quantizeRows } from './quantizer/quantize-rows.js'
export type { ReferenceModeOptions } from './quantizer/reference-mode/quantize-row.js'
export {
  createRowQuantizer,
  nativeRowQuantizer,
  type RowQuantizer,
  referenceModeQuantizer,
  typescriptRowQuantizer,
} from './quantizer/row-quantizer.js'
export type { GradientMode } from './sensitivity/gradient-files.js'
export { type GradientSums, openGradientSums } from './sensitivity/gradient-sums.js'
export { type MeasureGradientsOptions, measureFisher, measureGradientSums } from './sensitivity/measure-gradients.js'
export type { RunnableModel } from './tables/input-covariance.js'
export { type RefitModelOptions, type RefittedWeight, refitModel } from './tables/refit-model.js'
export { REFIT_BITS, type RefitTablesOptions, type RowReader, refitTables, rowsOf } from './tables/refit-tables.js'
export { createTableRefitter, nativeTableRefitter, type TableRefitter, typescriptTableRefitter } from './tables/refitter.js'
export type { TableStart, TableStartContext } from './tables/table-start.js'
export type { TuneOptions } from './tables/tune-settings.js'
export { type TuneTablesOptions, type TuneTablesResult, tuneTables } from './tables/tune-tables.js'
export type { TuningReport } from './tables/tuned-tables-file.js'
