import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFolder } from '../testing/read-folder.js'
import { type TinyTensor, writeTinyModel } from '../testing/tiny-model.js'
import { quantizeModel } from './quantize-model.js'
import { typescriptRowQuantizer } from './row-quantizer.js'

let directory: string
let source: string
let out: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-refused-'))
  source = join(directory, 'model')
  out = join(directory, 'quantized')
})
afterEach(() => rm(directory, { recursive: true }))

const quantizer = typescriptRowQuantizer()

/** Each leaves the folder beside the source as it was. */
async function expectRefused(
  wanted: Record<string, unknown> | RegExp,
  options: Parameters<typeof quantizeModel>[2] = {},
): Promise<void> {
  const before = await readFolder(source)
  const refused = await quantizeModel(source, out, { quantizer, shardBytes: 1, ...options }).then(
    () => undefined,
    (error: Error) => error,
  )
  if (wanted instanceof RegExp) expect(refused?.message).toMatch(wanted)
  else expect(refused).toMatchObject(wanted)
  expect(refused).toHaveProperty('code')
  expect(await readdir(directory)).toEqual(['model'])
  expect(await readFolder(source)).toEqual(before)
}
const badWeight = (name: string, index: number, value: number) => (t: TinyTensor) => {
  if (t.name === name) t.data[index] = value
  return t
}

test('a weight that is not finite, met after other files have been written', async () => {
  const name = 'model.layers.1.mlp.down_proj.weight'
  await writeTinyModel(source, { edit: badWeight(name, 2 * 40 + 7, Number.NaN) })
  await expectRefused({ code: 'ERR_DPLLM_FILE', item: name, file: join(source, 'model.safetensors') })
  await expectRefused(/element 87 is not a finite number/)
  // Without the model being loaded first it is the quantizer that meets it.
  await expectRefused(/found NaN at row 2, column 7/, { calibrationText: false })
})

test('a weight beyond half precision', async () => {
  await writeTinyModel(source, { edit: badWeight('model.layers.0.self_attn.q_proj.weight', 0, -70000) })
  await expectRefused(/q_proj\.weight: expected finite values up to 65504, found -70000 at row 0, column 0/)
})

test.each(['f32', 'f16', 'bf16'] as const)('a norm that is not finite (%s)', async (dtype) => {
  await writeTinyModel(source, { dtype, edit: badWeight('model.norm.weight', 5, Number.NEGATIVE_INFINITY) })
  await expectRefused(/model\.norm\.weight: element 5 is not a finite number/)
})

test('a missing tensor, one of another shape, one that is to be written', async () => {
  const name = 'model.layers.1.self_attn.v_proj.weight'
  await writeTinyModel(source, { edit: (t) => (t.name === name ? undefined : t) })
  await expectRefused({ code: 'ERR_DPLLM_FILE', item: name })
  await writeTinyModel(source, { edit: (t) => (t.name === name ? { ...t, shape: [24, 12] } : t) })
  await expectRefused(/v_proj\.weight: expected shape \[12,24\] from config\.json, found \[24,12\]/)
  await writeTinyModel(source, {
    config: { tie_word_embeddings: false },
    edit: (t) => (t.name === 'lm_head.weight' ? undefined : t),
  })
  await expectRefused({ code: 'ERR_DPLLM_FILE', item: 'lm_head.weight' })
  await writeTinyModel(source, {
    edit: (t) => (t.name === 'model.norm.weight' ? { ...t, name: 'lm_head.lut5' } : t),
    config: { num_hidden_layers: 1 },
  })
  await expectRefused({ code: 'ERR_DPLLM_FILE' })
})

test('configs: unknown architecture, quantized before, no JSON; tokenizer files that are no JSON', async () => {
  await writeTinyModel(source)
  const config = JSON.parse(await readFile(join(source, 'config.json'), 'utf8'))
  const write = (value: unknown) => writeFile(join(source, 'config.json'), JSON.stringify(value))
  await write({ ...config, architectures: ['MambaForCausalLM'] })
  await expectRefused({ code: 'ERR_DPLLM_UNSUPPORTED' })
  await write({ ...config, quantization_config: { quant_method: 'gptq' } })
  await expectRefused({ code: 'ERR_DPLLM_UNSUPPORTED' })
  await write({ ...config, dpllm: { format: 1 } })
  await expectRefused(/quantized already/)
  await writeFile(join(source, 'config.json'), '{"architectures":')
  await expectRefused({ code: 'ERR_DPLLM_FILE', file: join(source, 'config.json') })
  await write(config)
  await writeFile(join(source, 'tokenizer.json'), '{"model": ')
  await expectRefused({ code: 'ERR_DPLLM_FILE', file: join(source, 'tokenizer.json') })
})

test('bit counts and sizes that make no sense', async () => {
  await writeTinyModel(source)
  await expectRefused({ argument: 'seedBits' }, { seedBits: 2 })
  await expectRefused({ argument: 'maxBits' }, { maxBits: 9 })
  await expectRefused({ argument: 'headBits' }, { seedBits: 4, headBits: 3 })
  await expectRefused({ argument: 'shardBytes' }, { shardBytes: 0 })
})
