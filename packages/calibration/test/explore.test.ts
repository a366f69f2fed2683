import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCpuBackend } from '@dpllm/cpu-kernels'
import { loadModel, type Model } from '@dpllm/runtime'
import { test } from 'vitest'
import { quantizeModel } from '../src/quantizer/quantize-model.js'
import { type TinyTensor, writeTinyModel } from '../src/testing/tiny-model.js'

/** Norms of ones, and weights large enough that every layer matters and the answer does not settle on one token. */
function lively(t: TinyTensor): TinyTensor {
  if (t.name.endsWith('norm.weight')) t.data.fill(1)
  else if (t.shape.length === 2) { const s = 10 * (t.name.startsWith('model.embed') ? 1 : 2 / Math.sqrt(t.shape[1])); for (let i = 0; i < t.data.length; i++) t.data[i] *= s }
  return t
}
async function path(model: Model, bits: number, ids: Uint32Array, n: number, forced?: number[]) {
  using cache = model.createCache(ids.length + n)
  const p = model.precision({ precision: bits }).policy!
  const tokens: number[] = [], logits: Float32Array[] = []
  let min = Infinity
  let step = ids, position = 0
  for (let i = 0; i < n; i++) {
    const r = await model.run({ tokens: step, position, cache, policy: p })
    const l = Float32Array.from(r.outputs.logits.subarray(r.outputs.logits.length - model.config.vocabularySize))
    const s = [...l.keys()].sort((a, b) => l[b] - l[a])
    min = Math.min(min, l[s[0]] - l[s[1]])
    position += step.length
    const next = forced ? forced[i] : s[0]
    tokens.push(next); logits.push(l)
    step = Uint32Array.of(next)
  }
  return { tokens, min, logits }
}
test('explore', async () => {
  for (const [label, config] of Object.entries({ small: {}, wide: { hidden_size: 96, intermediate_size: 172, num_attention_heads: 8, num_key_value_heads: 2, num_hidden_layers: 3, vocab_size: 60 }})) {
    for (let seed = 1; seed <= 24; seed++) {
    const dir = await mkdtemp(join(tmpdir(), 'explore-'))
    await writeTinyModel(join(dir, 'm'), { seed, edit: lively, config: { tie_word_embeddings: false, max_position_embeddings: 256, ...config } })
    await quantizeModel(join(dir, 'm'), join(dir, 'q'))
    await using ref = await loadModel(join(dir, 'q'), { backend: 'reference' })
    await using cpu = await loadModel(join(dir, 'q'), { backend: createCpuBackend({ arithmetic: 'precise' }) })
    const ids = Uint32Array.of(1, 5, 9)
    let line = ''
    let all = Infinity
    for (let bits = 3; bits <= 8; bits++) {
      const a = await path(ref, bits, ids, 200)
      const b = await path(cpu, bits, ids, 200, a.tokens)
      let worst = 0
      a.logits.forEach((l, i) => l.forEach((x, j) => { worst = Math.max(worst, Math.abs(x - b.logits[i][j])) }))
      const same = b.logits.every((l, i) => l.indexOf(Math.max(...l)) === a.tokens[i])
      all = Math.min(all, a.min)
      line += ` ${new Set(a.tokens).size}/${a.min.toFixed(4)}/${worst.toExponential(1)}/${same ? 'same' : 'DIFF'}`
    }
    console.log(label, seed, all.toFixed(4), line)
    await rm(dir, { recursive: true })
    }
  }
}, 1200000)
