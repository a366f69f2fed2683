import type { Tensor } from '@dpllm/core'
import { type PolicyData, type Profile, writeProfile } from '@dpllm/runtime'

/** The linears of the tiny model, and what they read (its residual is 32 wide). */
const shapes: Readonly<Record<string, readonly [rows: number, cols: number]>> = {
  'self_attn.q_proj': [32, 32],
  'self_attn.k_proj': [16, 32],
  'self_attn.v_proj': [16, 32],
  'self_attn.o_proj': [32, 32],
  'mlp.gate_proj': [48, 32],
  'mlp.up_proj': [48, 32],
  'mlp.down_proj': [32, 48],
}
const RESIDUAL = 32
const linears = [0, 1].flatMap((layer) =>
  Object.entries(shapes).map(([name, [rows, cols]]) => ({ module: `model.layers.${layer}.${name}`, rows, cols })),
)
export const modules: readonly string[] = linears.map(({ module }) => module)

const vector = (data: Float32Array): Tensor<'f32'> => ({ dtype: 'f32', shape: [data.length], data })
const byModule = <T>(value: (module: string, index: number) => T): Record<string, T> =>
  Object.fromEntries(modules.map((module, i) => [module, value(module, i)]))

/** Writes a profile of a 5-bit budget for the tiny quantized model, called METHOD-5, as a calibration would. */
export async function writeTestProfile(directory: string, method: 'static' | 'dp-llm' | 'budget' | 'imported'): Promise<void> {
  const { policy, tensors = new Map() } = policies[method]()
  const profile: Profile = {
    name: `${method}-5`,
    data: {
      format: 2,
      method: method === 'imported' ? 'dp-llm' : method,
      memoryBudget: 5,
      maxBits: byModule(() => 5),
      policy,
      provenance: { seed: 0 },
    },
    tensors,
  }
  await writeProfile(directory, profile)
}

const policies: Record<
  Parameters<typeof writeTestProfile>[1],
  () => { policy: PolicyData; tensors?: ReadonlyMap<string, Tensor<'f32'>> }
> = {
  static: () => ({
    policy: {
      kind: 'static',
      allocations: [
        { targetBits: 3, averageBits: 3, bits: byModule(() => 3) },
        { targetBits: 4, averageBits: 3.9, bits: byModule((_, i) => (i === 0 ? 5 : 4)) },
        { targetBits: 5, averageBits: 5, bits: byModule(() => 5) },
      ],
    },
  }),
  'dp-llm': () => ({
    policy: {
      kind: 'threshold',
      selectInputs: 'asynchronous',
      targets: [
        { targetBits: 3.5, shift: 0, measuredBits: 3.501, averageBits: byModule(() => 3.5) },
        { targetBits: 4.5, shift: 0.05, measuredBits: 4.502, averageBits: byModule(() => 4.45) },
      ],
      estimators: {
        format: 'dpllm-estimators',
        version: 1,
        linears: linears.map(({ module, cols }) => ({
          name: module,
          cols,
          pairs: [3, 4].map((low) => ({ low, high: low + 1, estimator: { kind: 'linear', slope: 0.1, intercept: 0 } })),
        })),
      },
    },
    // Estimates between 0.25 and 0.75: half of them above 0.5.
    tensors: new Map(
      modules.flatMap((module) =>
        [3, 4].map((low) => {
          const quantiles = Float32Array.from({ length: 257 }, (_, i) => 0.25 + i / 512)
          return [`${module}.${low}-${low + 1}.quantiles`, vector(quantiles)] as const
        }),
      ),
    ),
  }),
  budget: () => ({
    policy: {
      kind: 'budget',
      prices: [
        { targetBits: 3.25, logPrice: 0, measuredBits: 3.251 },
        { targetBits: 4.75, logPrice: -6, measuredBits: 4.748 },
      ],
      linears: modules.map((name) => ({ name, minBits: 3, errors: [16, 4, 1], bias: 0.5 })),
    },
    tensors: new Map(modules.map((module) => [`${module}.probe`, vector(new Float32Array(RESIDUAL).fill(0.2))])),
  }),
  imported: () => ({
    policy: {
      kind: 'fixed',
      selectInputs: 'own',
      estimator: 'exact',
      targets: [{ targetBits: 3.5, measuredBits: 3.49, linears: byModule(() => ({ low: 3, high: 4, threshold: 0.125 })) }],
    },
  }),
}
