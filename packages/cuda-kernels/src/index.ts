export { createCudaBackend } from './backend.js'
export { type CudaDevice, type CudaProbe, probeCuda } from './probe.js'
export type { CudaBackendOptions } from './settings.js'
