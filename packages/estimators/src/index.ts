export { createProjection, PROJECTION_ROWS, type ProjectionOptions, projectedNorm } from './projection.js'
export { quantile } from './quantile.js'
export { pairThreshold } from './threshold.js'
