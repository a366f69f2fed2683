export { type BudgetLinear, fillPrices, type ProbeEstimator, priceThresholds } from './budget.js'
export { type CalibrationTokens, holdOut } from './calibration-tokens.js'
export { type ChooseOptions, type ChosenEstimator, chooseEstimator, type EstimatorCandidate } from './choose-estimator.js'
export { type Decision, decisionAt, fillThresholds } from './decision.js'
export { deserializeEstimators } from './deserialize.js'
export { errorNorms } from './error-norms.js'
export { type EstimateAccuracy, estimateAccuracy } from './estimate-accuracy.js'
export type { LinearEstimators, PairEstimator } from './estimator-set.js'
export { type EstimatorGroup, estimateGroup, type GroupMember, groupEstimators } from './group.js'
export { inputNorms } from './input-norms.js'
export type { RowOf } from './linear-algebra/row-blocks.js'
export { fitLinear, LINEAR_R2, type LinearFit, linearEstimates } from './linear-fit.js'
export { createNormals } from './normals.js'
export {
  createProjection,
  PROJECTION_ROWS,
  type ProjectionOptions,
  projectedNorm,
  projectedNorms,
  scaleProjection,
} from './projection.js'
export { quantile } from './quantile.js'
export { SKETCH_QUANTILES, sketchQuantiles, thresholdAt } from './quantile-sketch.js'
export { fitScale } from './scale-fit.js'
export {
  type EstimatorHeader,
  type EstimatorsHeader,
  FORMAT_VERSION,
  type SerializedEstimators,
  serializeEstimators,
} from './serialize.js'
export { createSketch, type Sketch, type SketchOptions } from './sketch.js'
export { pairThreshold } from './threshold.js'
export { type TunedProjection, type TuneOptions, tuneProjection } from './tune-projection.js'
