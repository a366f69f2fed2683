export { type CalibrateOptions, calibrateModel } from './calibrate/calibrate-model.js'
export { calibrationWindows, DOCUMENT_SEPARATOR } from './calibrate/windows.js'
export { type QuantizeModelOptions, type QuantizeModelResult, quantizeModel } from './quantizer/quantize-model.js'
export { type QuantizeRowsOptions, quantizeRows } from './quantizer/quantize-rows.js'
