import type { BitPlaneWeight, Weight } from '../../packages/core/src/index.js'
import { lowerProgram, makePlan } from '../../packages/core/src/native/index.js'
import { decoderProgram, parseModelConfig, type SelectInputs } from '../../packages/runtime/src/index.js'

/** Sizes of a model, as config.json has them. */
export interface DeviceModel {
  readonly name: string
  readonly architecture: 'LlamaForCausalLM' | 'Phi3ForCausalLM'
  readonly hidden: number
  readonly intermediate: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocabulary: number
}

export const deviceModels: readonly DeviceModel[] = [
  {
    name: 'Llama-3-8B',
    architecture: 'LlamaForCausalLM',
    hidden: 4096,
    intermediate: 14336,
    layers: 32,
    heads: 32,
    kvHeads: 8,
    vocabulary: 128256,
  },
  {
    name: 'Phi-3-medium',
    architecture: 'Phi3ForCausalLM',
    hidden: 5120,
    intermediate: 17920,
    layers: 40,
    heads: 40,
    kvHeads: 10,
    vocabulary: 32064,
  },
]

/** A family's program at a size that the kernels on the host run in no time. */
export const tinyDeviceModels: readonly DeviceModel[] = deviceModels.map((model) => ({
  ...model,
  hidden: 64,
  intermediate: 96,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  vocabulary: 80,
}))

const HEAD_BITS = 4

/**
 * What device-check/benchmark.cpp takes: programs in numbers with the shapes of their weights, whose values it makes up, and
 * shapes of products to be timed alone.
 */
export function deviceBenchmark(models: readonly DeviceModel[]): string {
  const products = models.flatMap(({ hidden: D, intermediate: F, kvHeads, heads }) => [
    [F, D],
    [D, F],
    [D, D],
    [(D / heads) * kvHeads, D],
  ])
  const json = {
    products: [...new Map(products.map((shape) => [shape.join('x'), shape])).values()],
    models: models.map(describe),
  }
  return JSON.stringify(json, (_, value: unknown) => (value instanceof Int32Array ? [...value] : value))
}

function describe(model: DeviceModel) {
  return { name: model.name, programs: (['asynchronous', 'residual'] as const).map((inputs) => lower(model, inputs)) }
}

function lower(model: DeviceModel, selectInputs: SelectInputs) {
  const fused = model.architecture === 'Phi3ForCausalLM'
  const attention = fused ? ['qkv_proj', 'o_proj'] : ['q_proj', 'k_proj', 'v_proj', 'o_proj']
  const mlp = fused ? ['gate_up_proj', 'down_proj'] : ['gate_proj', 'up_proj', 'down_proj']
  const modules = Array.from({ length: model.layers }, (_, layer) => [
    ...attention.map((name) => `model.layers.${layer}.self_attn.${name}`),
    ...mlp.map((name) => `model.layers.${layer}.mlp.${name}`),
  ]).flat()
  const config = parseModelConfig(
    {
      architectures: [model.architecture],
      hidden_size: model.hidden,
      intermediate_size: model.intermediate,
      num_hidden_layers: model.layers,
      num_attention_heads: model.heads,
      num_key_value_heads: model.kvHeads,
      vocab_size: model.vocabulary,
      max_position_embeddings: 4096,
      rms_norm_eps: 1e-5,
      rope_theta: 500_000,
      hidden_act: 'silu',
      tie_word_embeddings: false,
      dpllm: {
        format: 1,
        seedBits: 3,
        maxBits: 8,
        quantizedModules: Object.fromEntries([...modules, 'lm_head'].map((name) => [name, { bits: [3, 4, 5, 6, 7, 8] }])),
      },
    },
    model.name,
  )
  const { program, weights } = decoderProgram(config, { selectInputs })
  // All weights see the same zeros, which nothing reads: 8 billion parameters are described without their memory.
  const bytesOf = ([rows, cols = 1]: readonly number[]) => rows * Math.max(2 * cols + 64, 2 ** 9)
  const zeros = new ArrayBuffer(Math.max(...weights.map(({ shape }) => bytesOf(shape))))
  const given = new Map<string, Weight>(
    weights.map(({ name, shape }) => {
      const [rows, cols = rows] = shape
      const module = name.replace(/\.weight$/, '')
      const head = module === 'lm_head'
      if (head || modules.includes(module)) return [name, bitPlanes(zeros, rows, cols, head ? HEAD_BITS : 8)]
      if (shape.length === 2) return [name, { dtype: 'f16', shape, data: new Uint16Array(zeros, 0, rows * cols) }]
      return [name, { dtype: 'f32', shape, data: new Float32Array(zeros, 0, rows) }]
    }),
  )
  const { description, valueIndex } = lowerProgram(program, given)
  const { weights: lowered, ...rest } = description
  return {
    selectInputs,
    description: { ...rest, weights: [] },
    weights: lowered.map(({ rows, cols, ...kind }) =>
      'planes' in kind
        ? { rows, cols, seedBits: kind.seedBits, maxBits: kind.maxBits }
        : { rows, cols, type: kind.type, vector: kind.vector },
    ),
    plan: makePlan(program, valueIndex, ['logits']),
    layers: model.layers,
    vocabulary: model.vocabulary,
  }
}

function bitPlanes(zeros: ArrayBuffer, rows: number, cols: number, maxBits: number): BitPlaneWeight {
  const seedBits = 3
  const planes = new Uint32Array(zeros, 0, maxBits * rows * Math.ceil(cols / 32))
  const luts = Array.from({ length: maxBits - seedBits + 1 }, (_, i) => new Uint16Array(zeros, 0, rows * 2 ** (seedBits + i)))
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes, luts }
}
