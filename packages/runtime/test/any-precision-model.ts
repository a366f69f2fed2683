import { createRandom, type FloatTensor, f16ToF32, type Tensor, toFloat16, toFloat32 } from '@dpllm/core'
import { randomModel } from '../src/models/testing/random-model.js'
import type { StateDictConfig } from '../src/models/testing/state-dict.js'
import {
  dict,
  int,
  orderedDict,
  type PythonValue,
  type Tensor as SavedTensor,
  type Storage,
  storage,
  tensor,
} from './torch-save/python-values.js'

/** A packed Any-Precision model made without the code under test. */
export interface PackedModel {
  /** config.json. */
  readonly config: Readonly<Record<string, unknown>>
  /** Names of the quantized modules. */
  readonly modules: readonly string[]
  /** Tensors that are not quantized, in half precision. */
  readonly dense: ReadonlyMap<string, Tensor<'f16'>>
  /** What `pytorch_model.bin` holds, as torch.save writes it, with _metadata. */
  readonly stateDict: PythonValue
  /** The same tensors by name, for safetensors. */
  readonly tensors: ReadonlyMap<string, Tensor>
  /** All weights as f32, the quantized ones read at `bits` bits. */
  weightsAt(bits: number): Map<string, FloatTensor>
}

export interface PackOptions {
  readonly seed?: number
  readonly seedBits?: number
  readonly maxBits?: number
  /** One table without a number in its name, as GuidedQuant writes for a single bit count. */
  readonly singleTable?: boolean
}

/** Linears of a block by architecture, as Any-Precision's YAML files and its automatic search name them. */
const moduleNames = (config: StateDictConfig) => {
  const fused = ['self_attn.qkv_proj', 'self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj']
  const separate = ['q', 'k', 'v', 'o']
    .map((n) => `self_attn.${n}_proj`)
    .concat(['gate', 'up', 'down'].map((n) => `mlp.${n}_proj`))
  return config.architectures[0] === 'Phi3ForCausalLM' ? fused : separate
}

/**
 * A model with random codes and tables in Any-Precision's layout; columns are multiples of 32. A tied head is there and
 * shares the embedding's storage, as in its files.
 */
export function packModel(config: StateDictConfig & Record<string, unknown>, options: PackOptions = {}): PackedModel {
  const { seed = 1, seedBits = 3, maxBits = 8, singleTable = false } = options
  const random = createRandom(seed)
  const names = moduleNames(config)
  const modules = Array.from({ length: config.num_hidden_layers }, (_, i) => names.map((n) => `model.layers.${i}.${n}`)).flat()
  const quantized = new Map<string, { shape: readonly number[]; codes: Uint8Array; tables: Uint16Array[] }>()
  const dense = new Map<string, Tensor<'f16'>>()
  const saved: [string, SavedTensor][] = []
  const tensors = new Map<string, Tensor>()
  const save = (name: string, dtype: 'f16' | 'i32', shape: readonly number[], data: Uint16Array | Int32Array, of?: Storage) => {
    saved.push([name, tensor(of ?? storage(dtype, data), shape)])
    if (of === undefined) tensors.set(name, { dtype, shape, data } as Tensor)
  }

  for (const [name, { shape, data }] of randomModel(config, seed)) {
    const module = name.replace(/\.weight$/, '')
    if (!modules.includes(module)) {
      const halves = toFloat16(data)
      dense.set(name, { dtype: 'f16', shape, data: halves })
      save(name, 'f16', shape, halves)
      continue
    }
    const [rows, cols] = shape
    const codes = Uint8Array.from({ length: rows * cols }, () => random.uint32() % 2 ** maxBits)
    const tables: Uint16Array[] = []
    for (let bits = seedBits; bits <= maxBits; bits++) {
      const values = Array.from({ length: rows }, () =>
        Array.from({ length: 2 ** bits }, () => random.normal() / Math.sqrt(cols)).sort((a, b) => a - b),
      )
      tables.push(toFloat16(values.flat()))
    }
    quantized.set(name, { shape, codes, tables })
    save(`${module}.qweight`, 'i32', [maxBits, rows, cols / 32], packCodes(codes, rows, cols, maxBits))
    for (const [i, table] of tables.entries()) {
      save(singleTable ? `${module}.lut` : `${module}.lut${seedBits + i}`, 'f16', [rows, 2 ** (seedBits + i)], table)
    }
  }
  const embedding = saved.find(([name]) => name === 'model.embed_tokens.weight')![1]
  if (config.tie_word_embeddings) saved.push(['lm_head.weight', tensor(embedding.storage, embedding.shape)])

  const version = () => dict([['version', int(1)]])
  const metadata = orderedDict([
    ['', version()],
    ['model', version()],
    ['model.layers.0.self_attn', dict([])],
  ])
  return {
    config: {
      ...config,
      anyprec: {
        seed_precision: seedBits,
        parent_precision: maxBits,
        group_count: 1,
        arch_config: { module_names: names, model_name: 'model', layers_name: 'layers' },
      },
    },
    modules,
    dense,
    stateDict: orderedDict(saved, [['_metadata', metadata]]),
    tensors,
    weightsAt: (bits) => {
      const weights = new Map<string, FloatTensor>()
      for (const [name, half] of dense) weights.set(name, { dtype: 'f32', shape: half.shape, data: toFloat32(half) })
      for (const [name, { shape, codes, tables }] of quantized) {
        const table = tables[bits - seedBits]
        const data = Float32Array.from(codes, (code, i) =>
          f16ToF32(table[Math.floor(i / shape[1]) * 2 ** bits + (code >> (maxBits - bits))]),
        )
        weights.set(name, { dtype: 'f32', shape, data })
      }
      return weights
    },
  }
}

/**
 * Packs codes as the format is described, step by step: bits of a plane, most significant first, into bytes; of each block
 * of 1024 columns (the last may be shorter) word t is made of bytes t, W + t, 2W + t, 3W + t, the first the most significant.
 */
function packCodes(codes: Uint8Array, rows: number, cols: number, bits: number): Int32Array {
  const words: number[] = []
  for (let plane = 0; plane < bits; plane++) {
    for (let row = 0; row < rows; row++) {
      const bytes = Array.from({ length: cols / 8 }, (_, j) => {
        let byte = 0
        for (let k = 8 * j; k < 8 * j + 8; k++) byte = 2 * byte + ((codes[row * cols + k] >> (bits - 1 - plane)) & 1)
        return byte
      })
      for (let s = 0; s < bytes.length; s += 128) {
        const W = Math.min(32, (bytes.length - s) / 4)
        for (let t = 0; t < W; t++) {
          words.push((bytes[s + t] << 24) | (bytes[s + W + t] << 16) | (bytes[s + 2 * W + t] << 8) | bytes[s + 3 * W + t])
        }
      }
    }
  }
  return Int32Array.from(words)
}
