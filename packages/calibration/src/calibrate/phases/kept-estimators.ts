import { join } from 'node:path'
import { type Estimator, type Tensor, toFloat16, toFloat32 } from '@dpllm/core'
import { exists, openSafetensors, writeSafetensors } from '@dpllm/core/node'
import type { FittedPair } from './fit-estimators.js'

/** Fitted estimators in files, one for each linear: what an interrupted calibration need not fit again. */
export interface KeptEstimators {
  /** Undefined if there are none of this linear. */
  read(module: string): Promise<FittedPair[] | undefined>
  write(module: string, pairs: readonly FittedPair[]): Promise<void>
}

const PAIRS_KEY = 'dpllm.pairs'

/** What stands in a file's metadata: pairs without their matrices. */
type PairData = Omit<FittedPair, 'estimator'> & {
  readonly estimator: Exclude<Estimator, { matrix: unknown }> | { kind: 'projection' }
}

/** @param place files that were found there under another fingerprint count as none */
export function keptEstimators(place: { path: string; fingerprint: string }): KeptEstimators {
  const fileOf = (module: string) => join(place.path, `${module}.safetensors`)
  return {
    read: async (module) => {
      if (!(await exists(fileOf(module)))) return undefined
      await using file = await openSafetensors(fileOf(module))
      if (file.metadata['dpllm.fingerprint'] !== place.fingerprint) return undefined
      const pairs: FittedPair[] = []
      for (const pair of JSON.parse(file.metadata[PAIRS_KEY]) as PairData[]) {
        if (pair.estimator.kind !== 'projection') pairs.push(pair as FittedPair)
        else pairs.push({ ...pair, estimator: { kind: 'projection', matrix: widened(await file.read(keyOf(pair))) } })
      }
      return pairs
    },
    write: async (module, pairs) => {
      const data = pairs.map((pair) =>
        pair.estimator.kind === 'projection' ? { ...pair, estimator: { kind: 'projection' } } : pair,
      )
      const entries = pairs.flatMap((pair) => {
        if (pair.estimator.kind !== 'projection') return []
        const { shape, data } = pair.estimator.matrix
        return [{ name: keyOf(pair), dtype: 'f16' as const, shape, data: toFloat16(data) }]
      })
      const metadata = { 'dpllm.fingerprint': place.fingerprint, [PAIRS_KEY]: JSON.stringify(data) }
      await writeSafetensors(fileOf(module), entries, { metadata })
    },
  }
}

/** A projection as profiles hold it: of f16 values. */
export function roundedEstimator(estimator: Estimator): Estimator {
  if (estimator.kind !== 'projection') return estimator
  const { shape, data } = estimator.matrix
  return { kind: 'projection', matrix: widened({ dtype: 'f16', shape, data: toFloat16(data) }) }
}

function widened(tensor: Tensor): Tensor<'f32'> {
  return { dtype: 'f32', shape: tensor.shape, data: toFloat32(tensor as Tensor<'f16'>) }
}

function keyOf({ low, high }: { low: number; high: number }): string {
  return `${low}-${high}`
}
