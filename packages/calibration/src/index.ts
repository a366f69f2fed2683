export { type CalibrateOptions, calibrateModel } from './calibrate/calibrate-model.js'
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
