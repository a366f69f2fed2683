import type { Program } from '@dpllm/core'
import type { ModelConfig } from '../config/model-config.js'
import { createProgramBuilder, type ProgramBuilder, type WeightSpec } from './builder.js'

/** A model's program, the weights that it reads, and its rotary frequencies, a weight that no file holds. */
export interface DecoderProgram {
  readonly program: Program
  readonly weights: readonly WeightSpec[]
  /** Name of the weight to be filled from `config.rope.frequencies`. */
  readonly frequencies: string
}

/**
 * A decoder-only transformer as a program. Pre-norm blocks of attention and gated MLP on a residual stream; what
 * differs between families (biases, QK norms, fused projections, windows, tied heads) is read from the config.
 * Outputs: `logits` f32 [R, V] and `loss` f32 [R]. Linears whose module is in `quantization` get a select operator;
 * the head does not.
 */
export function decoderProgram(config: ModelConfig): DecoderProgram {
  const b = createProgramBuilder()
  const { hiddenSize, vocabularySize, rmsNormEps, quantization } = config
  const frequencies = b.weight('rope.frequencies', config.rope.frequencies.length)
  let x = b.embed('model.embed_tokens.weight', vocabularySize, hiddenSize)
  for (let layer = 0; layer < config.layers; layer++) x = block(b, config, layer, x, frequencies)

  b.push({ kind: 'take', x, rows: 'rows', out: b.value('last', hiddenSize, 'R') })
  const normed = b.norm('norm', 'last', 'model.norm.weight', hiddenSize, hiddenSize, rmsNormEps, 'R')
  const tied = config.tiedEmbeddings && quantization?.quantizedModules['lm_head'] === undefined
  const head = b.weight(tied ? 'model.embed_tokens.weight' : 'lm_head.weight', vocabularySize, hiddenSize)
  b.push({ kind: 'linear', x: normed, weight: head, out: b.value('logits', vocabularySize, 'R') })
  b.push({ kind: 'crossEntropy', logits: 'logits', targets: 'targets', out: b.value('loss', 1, 'R') })
  const caches = Array.from({ length: config.layers }, () => ({ width: config.kvHeads * config.headDim }))
  return { ...b.finish(caches), frequencies }
}

function block(b: ProgramBuilder, config: ModelConfig, layer: number, x: string, frequencies: string): string {
  const { hiddenSize: D, intermediateSize: F, headDim, heads, kvHeads, rmsNormEps: eps } = config
  const at = `layers.${layer}`
  const module = (name: string) => `model.layers.${layer}.${name}`
  const linear = (input: string, name: string, rows: number, cols: number, bias: boolean) =>
    quantizedLinear(b, config, input, module(name), rows, cols, bias)
  const [Q, KV] = [heads * headDim, kvHeads * headDim]

  const attended = b.norm(`${at}.attentionNorm`, x, `${module('input_layernorm')}.weight`, D, D, eps)
  let [q, k, v] = config.fused
    ? split(b, linear(attended, 'self_attn.qkv_proj', Q + 2 * KV, D, config.biases.qkv), {
        [`${at}.q`]: Q,
        [`${at}.k`]: KV,
        [`${at}.v`]: KV,
      })
    : [
        linear(attended, 'self_attn.q_proj', Q, D, config.biases.qkv),
        linear(attended, 'self_attn.k_proj', KV, D, config.biases.qkv),
        linear(attended, 'self_attn.v_proj', KV, D, config.biases.qkv),
      ]
  if (config.qkNorm) {
    q = b.norm(`${at}.qNorm`, q, `${module('self_attn.q_norm')}.weight`, Q, headDim, eps)
    k = b.norm(`${at}.kNorm`, k, `${module('self_attn.k_norm')}.weight`, KV, headDim, eps)
  }
  const rope = (name: string, input: string, width: number) => {
    b.push({ kind: 'rope', x: input, frequencies, headDim, scale: config.rope.scale, out: b.value(name, width) })
    return name
  }
  const window = config.windows[layer]
  b.push({
    kind: 'attention',
    q: rope(`${at}.qRope`, q, Q),
    k: rope(`${at}.kRope`, k, KV),
    v,
    layer,
    heads,
    kvHeads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    ...(window === undefined ? {} : { window }),
    out: b.value(`${at}.attention`, Q),
  })
  const middle = b.add(`${at}.attentionResidual`, x, linear(`${at}.attention`, 'self_attn.o_proj', D, Q, config.biases.o), D)

  const fed = b.norm(`${at}.mlpNorm`, middle, `${module('post_attention_layernorm')}.weight`, D, D, eps)
  const [gate, up] = config.fused
    ? split(b, linear(fed, 'mlp.gate_up_proj', 2 * F, D, false), { [`${at}.gate`]: F, [`${at}.up`]: F })
    : [linear(fed, 'mlp.gate_proj', F, D, config.biases.mlp), linear(fed, 'mlp.up_proj', F, D, config.biases.mlp)]
  b.push({ kind: 'gate', gate, up, activation: config.activation, out: b.value(`${at}.gated`, F) })
  return b.add(`${at}.mlpResidual`, middle, linear(`${at}.gated`, 'mlp.down_proj', D, F, config.biases.mlp), D)
}

function quantizedLinear(
  b: ProgramBuilder,
  config: ModelConfig,
  x: string,
  module: string,
  rows: number,
  cols: number,
  bias: boolean,
): string {
  const out = b.value(module, rows)
  const weight = b.weight(`${module}.weight`, rows, cols)
  const quantized = config.quantization?.quantizedModules[module] !== undefined
  if (quantized) b.push({ kind: 'select', x, weight, bits: `${module}.bits`, estimate: `${module}.estimate` })
  b.push({
    kind: 'linear',
    x,
    weight,
    ...(bias ? { bias: b.weight(`${module}.bias`, rows) } : {}),
    ...(quantized ? { bits: `${module}.bits` } : {}),
    out,
  })
  return out
}

function split(b: ProgramBuilder, x: string, widths: Record<string, number>): string[] {
  const outs = Object.entries(widths).map(([name, width]) => b.value(name, width))
  b.push({ kind: 'split', x, outs })
  return outs
}
