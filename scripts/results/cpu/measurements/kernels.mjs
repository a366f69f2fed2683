import { importPackage } from '../../../lib/packages.mjs'

const { benchKernels } = await importPackage('eval')
const { createBackend } = await importPackage('runtime')
const { emptyProfile } = await importPackage('core')
const { readMemory } = await importPackage('cpu-kernels')

/** Single kernels against a plain read of the planes that they read. */
export function measure({ threads, arithmetic, shapes, bits, rounds = 9 }) {
  const stepProfile = emptyProfile()
  const backend = createBackend('cpu', { threads, arithmetic, stepProfile })
  return benchKernels(backend, { stepProfile, readMemory: (arrays) => readMemory(arrays, threads), shapes, bits, rounds })
}
