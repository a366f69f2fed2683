export { type CudaProbe, probeCuda } from './probe.js'
