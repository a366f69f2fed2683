import { FileFormatError, firstNonFinite, type Tensor, toFloat32 } from '@dpllm/core'
import type { SafetensorsFile } from '@dpllm/core/node'
import { SKETCH_QUANTILES } from '@dpllm/estimators'
import type { AdaptiveLinear } from './adaptive-linears.js'
import { probeName, projectionName } from './profile.js'
import type { PolicyData } from './schema.js'

/** Most rows of a projection: that of @dpllm/estimators, whose estimates are then dearer than most linears. */
const MAX_ROWS = 4096

/** A tensor that a policy is not complete without. */
interface NeededTensor {
  readonly name: string
  /** As the file has it. */
  readonly dtype: 'f16' | 'f32'
  /** A name stands for any positive length. */
  readonly shape: readonly (number | string)[]
}

/**
 * The tensors that a policy needs, before any is read.
 * @param linears of the model, by module: say how wide tensors are where the policy does not
 */
export function neededTensors(policy: PolicyData, linears?: ReadonlyMap<string, AdaptiveLinear>): NeededTensor[] {
  switch (policy.kind) {
    case 'static':
      return []
    case 'budget':
      return policy.linears.map(({ name }) => {
        return { name: probeName(name), dtype: 'f32', shape: [linears?.get(name)?.residualWidth ?? 'D'] }
      })
    case 'threshold':
      return policy.estimators.linears.flatMap(({ name, cols, pairs }) =>
        pairs.flatMap(({ low, high, estimator: { kind } }): NeededTensor[] => {
          const key = `${name}.${low}-${high}`
          return [
            { name: `${key}.quantiles`, dtype: 'f32', shape: [SKETCH_QUANTILES] },
            ...(kind === 'projection'
              ? [{ name: projectionName(name, low, high), dtype: 'f16', shape: ['k', cols] } as const]
              : []),
            ...(kind === 'probe' ? [{ name: `${key}.probe`, dtype: 'f32', shape: [cols] } as const] : []),
          ]
        }),
      )
    case 'fixed': {
      const decisions = policy.targets.flatMap((target) => Object.entries(target.linears))
      const matrices = new Map<string, NeededTensor>()
      for (const [module, { low, high, estimator }] of decisions) {
        if (low === high || (estimator?.kind ?? policy.estimator ?? 'projection') !== 'projection') continue
        const linear = linears?.get(module)
        const width = policy.selectInputs === 'residual' ? linear?.residualWidth : linear?.cols
        const name = projectionName(module, low, high)
        matrices.set(name, { name, dtype: 'f16', shape: ['k', width ?? 'cols'] })
      }
      return [...matrices.values()]
    }
  }
}

/**
 * Reads one of them, as f32.
 * @throws FileFormatError naming it if it is missing, of another dtype or shape, or has numbers that are not finite
 */
export async function readNeededTensor(file: SafetensorsFile, { name, dtype, shape }: NeededTensor): Promise<Tensor<'f32'>> {
  const fail = (message: string) => new FileFormatError(file.path, message, { item: name })
  const found = file.tensors.get(name)
  if (found !== undefined && !(found.dtype === dtype && fitsShape(shape, found.shape)))
    throw fail(`expected ${dtype} [${shape}], found ${found.dtype} [${found.shape}]`)
  const tensor = (await file.read(name)) as Tensor<'f16'> | Tensor<'f32'>
  const at = firstNonFinite(tensor)
  if (at >= 0) throw fail(`element ${at} is not a finite number`)
  return { dtype: 'f32', shape: tensor.shape, data: toFloat32(tensor) }
}

function fitsShape(wanted: NeededTensor['shape'], found: readonly number[]): boolean {
  const fits = (d: number | string, i: number) =>
    typeof d === 'number' ? found[i] === d : found[i] >= 1 && (d !== 'k' || found[i] <= MAX_ROWS)
  return wanted.length === found.length && wanted.every(fits)
}
