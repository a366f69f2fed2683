export { createCpuBackend } from './backend.js'
export { type CpuProbe, probeCpu } from './probe.js'
export { type NativeQuantizeOptions, quantizeRows } from './quantize-rows.js'
export type { CpuBackendOptions, Instructions } from './settings.js'
