import type { Program } from '@dpllm/core'
import type { ModelConfig } from '../config/model-config.js'
import { createProgramBuilder, type ProgramBuilder, type WeightSpec } from './builder.js'
import type { SelectInputs } from './select-inputs.js'

/** A model's program, the weights that it reads, and its rotary frequencies, a weight that no file holds. */
export interface DecoderProgram {
  readonly program: Program
  readonly weights: readonly WeightSpec[]
  /** Name of the weight to be filled from `config.rope.frequencies`. */
  readonly frequencies: string
}

export interface DecoderOptions {
  /** What the select operators estimate from; default `own`. */
  readonly selectInputs?: SelectInputs | undefined
}

/** The residual stream at two points: behind a block's attention and behind its MLP. */
interface Residuals {
  readonly middle: string
  readonly out: string
}

/**
 * A decoder-only transformer as a program. Pre-norm blocks of attention and gated MLP on a residual stream; what
 * differs between families (biases, QK norms, fused projections, windows, tied heads) is read from the config.
 * Outputs: `logits` f32 [R, V] and `loss` f32 [R]. Linears whose module is in `quantization` get a select operator;
 * the head does not.
 *
 * Whatever `selectInputs` is, these values can be asked for: `layers.I.earlierAttentionNorm`, the residual before MLP I − 1 under
 * the attention norm of block I (from block 1 on; in block 0 `attentionNorm` stands for it), and `layers.I.earlierMlpNorm`, the
 * residual before attention I under the MLP norm of block I.
 */
export function decoderProgram(config: ModelConfig, { selectInputs = 'own' }: DecoderOptions = {}): DecoderProgram {
  const b = createProgramBuilder()
  const { hiddenSize, vocabularySize, rmsNormEps, quantization } = config
  const frequencies = b.weight('rope.frequencies', config.rope.frequencies.length)
  let x = b.embed('model.embed_tokens.weight', vocabularySize, hiddenSize)
  let earlier: string | undefined
  for (let layer = 0; layer < config.layers; layer++) {
    const residuals = block(b, config, layer, x, earlier, frequencies, selectInputs)
    earlier = residuals.middle
    x = residuals.out
  }

  b.push({ kind: 'take', x, rows: 'rows', out: b.value('last', hiddenSize, 'R') })
  const normed = b.norm('norm', 'last', 'model.norm.weight', hiddenSize, hiddenSize, rmsNormEps, 'R')
  const tied = config.tiedEmbeddings && quantization?.quantizedModules['lm_head'] === undefined
  const head = b.weight(tied ? 'model.embed_tokens.weight' : 'lm_head.weight', vocabularySize, hiddenSize)
  b.push({ kind: 'linear', x: normed, weight: head, out: b.value('logits', vocabularySize, 'R') })
  b.push({ kind: 'crossEntropy', logits: 'logits', targets: 'targets', out: b.value('loss', 1, 'R') })
  const caches = Array.from({ length: config.layers }, () => ({ width: config.kvHeads * config.headDim }))
  return { ...b.finish(caches), frequencies }
}

/** @param earlier the residual before the preceding MLP; undefined in block 0 */
function block(
  b: ProgramBuilder,
  config: ModelConfig,
  layer: number,
  x: string,
  earlier: string | undefined,
  frequencies: string,
  selectInputs: SelectInputs,
): Residuals {
  const { hiddenSize: D, intermediateSize: F, headDim, heads, kvHeads, rmsNormEps: eps } = config
  const at = `layers.${layer}`
  const module = (name: string) => `model.layers.${layer}.${name}`
  const [Q, KV] = [heads * headDim, kvHeads * headDim]
  const norm = (name: string, input: string, weight: string) =>
    b.norm(`${at}.${name}`, input, `${module(weight)}.weight`, D, D, eps)

  const attended = norm('attentionNorm', x, 'input_layernorm')
  const attendedEarlier = earlier === undefined ? attended : norm('earlierAttentionNorm', earlier, 'input_layernorm')
  // Linears that read the residual stream, and those behind attention and the gate.
  const fromResidual = (name: string, rows: number, bias: boolean, input: string, earlierInput: string) =>
    quantizedLinear(b, config, input, selectInputs === 'own' ? input : earlierInput, module(name), rows, D, bias)
  const behind = (name: string, cols: number, bias: boolean, input: string, earlierInput: string) =>
    quantizedLinear(b, config, input, selectInputs === 'residual' ? earlierInput : input, module(name), D, cols, bias)

  const project = (name: string, rows: number) =>
    fromResidual(`self_attn.${name}`, rows, config.biases.qkv, attended, attendedEarlier)
  let [q, k, v] = config.fused
    ? split(b, project('qkv_proj', Q + 2 * KV), { [`${at}.q`]: Q, [`${at}.k`]: KV, [`${at}.v`]: KV })
    : [project('q_proj', Q), project('k_proj', KV), project('v_proj', KV)]
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
  const output = behind('self_attn.o_proj', Q, config.biases.o, `${at}.attention`, attendedEarlier)
  const middle = b.add(`${at}.attentionResidual`, x, output, D)

  const fedEarlier = norm('earlierMlpNorm', x, 'post_attention_layernorm')
  const fed = norm('mlpNorm', middle, 'post_attention_layernorm')
  const expand = (name: string, rows: number, bias: boolean) => fromResidual(`mlp.${name}`, rows, bias, fed, fedEarlier)
  const [gate, up] = config.fused
    ? split(b, expand('gate_up_proj', 2 * F, false), { [`${at}.gate`]: F, [`${at}.up`]: F })
    : [expand('gate_proj', F, config.biases.mlp), expand('up_proj', F, config.biases.mlp)]
  b.push({ kind: 'gate', gate, up, activation: config.activation, out: b.value(`${at}.gated`, F) })
  const down = behind('mlp.down_proj', F, config.biases.mlp, `${at}.gated`, fedEarlier)
  return { middle, out: b.add(`${at}.mlpResidual`, middle, down, D) }
}

function quantizedLinear(
  b: ProgramBuilder,
  config: ModelConfig,
  x: string,
  /** What its select reads. */
  selectX: string,
  module: string,
  rows: number,
  cols: number,
  bias: boolean,
): string {
  const out = b.value(module, rows)
  const weight = b.weight(`${module}.weight`, rows, cols)
  const quantized = config.quantization?.quantizedModules[module] !== undefined
  if (quantized) b.push({ kind: 'select', x: selectX, weight, bits: `${module}.bits`, estimate: `${module}.estimate` })
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
