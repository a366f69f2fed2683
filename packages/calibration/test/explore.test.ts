import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { createCpuBackend } from '@dpllm/cpu-kernels'
import { loadModel, type Model } from '@dpllm/runtime'
import { test } from 'vitest'
import { quantizeModel } from '../src/quantizer/quantize-model.js'

const data = process.env.DPLLM_DATA!
async function greedy(model: Model, bits: number, ids: Uint32Array) {
  const tokens: number[] = []
  for await (const part of model.generate(ids, { temperature: 0, maxTokens: 200, precision: bits, ignoreEos: true })) tokens.push(part.token)
  return tokens
}
async function logitsAfter(model: Model, bits: number, ids: Uint32Array, tokens: number[]) {
  using cache = model.createCache(ids.length + tokens.length + 1)
  const p = model.precision({ precision: bits }).policy!
  let r = await model.run({ tokens: ids, position: 0, cache, policy: p })
  for (const [i, t] of tokens.entries()) r = await model.run({ tokens: Uint32Array.of(t), position: ids.length + i, cache, policy: p })
  return Float32Array.from(r.outputs.logits.subarray(r.outputs.logits.length - model.config.vocabularySize))
}
test('explore', async () => {
  for (const name of ['stories260K', 'stories15M']) {
    const out = join('/tmp/acc', name)
    if (!(await access(out).then(() => true, () => false))) {
      const t0 = performance.now()
      await quantizeModel(join(data, name), out)
      console.log('quantize', performance.now() - t0)
    }
    await using ref = await loadModel(out, { backend: 'reference' })
    for (const prompt of ['Once upon a time', 'Tom and Lily', 'The old cat']) {
    const ids = ref.tokenizer.encode(prompt)
    for (let bits = 3; bits <= 8; bits++) {
      const t = performance.now()
      const tokens = await greedy(ref, bits, ids)
      const ms = performance.now() - t
      const notes: string[] = []
      for (const instructions of ['generic', 'avx2', 'avx512'] as const) {
        await using cpu = await loadModel(out, { backend: createCpuBackend({ instructions, arithmetic: 'precise' }) })
        const got = await greedy(cpu, bits, ids)
        const at = got.findIndex((x, i) => x !== tokens[i])
        notes.push(`${instructions}:${at}`)
        if (at >= 0) {
          const a = await logitsAfter(ref, bits, ids, tokens.slice(0, at))
          const b = await logitsAfter(cpu, bits, ids, tokens.slice(0, at))
          let worst = 0
          for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]))
          notes.push(`ref[${tokens[at]}]=${a[tokens[at]]} ref[${got[at]}]=${a[got[at]]} cpu: ${b[tokens[at]]} ${b[got[at]]} worst ${worst}`)
        }
      }
      console.log(name, prompt, bits, ms.toFixed(0), new Set(tokens).size, notes.join(' '))
    }
    }
  }
}, 1200000)
