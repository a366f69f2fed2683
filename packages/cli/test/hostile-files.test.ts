import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useFixtures } from '../src/testing/fixtures.js'
import {
  content,
  field,
  flipped,
  headerLength,
  inData,
  inHeader,
  inTensor,
  missing,
  offsets,
  truncated,
  without,
} from './damage.js'
import { type CommandName, type Damage, expectRefusal, hostileFolder } from './hostile-folder.js'
import { type Models, makeModels } from './hostile-models.js'

const fixtures = useFixtures()
let models: Models
beforeAll(async () => {
  models = await makeModels(fixtures)
})

/** What is wrong, how it comes about, and what the message must say after the file's path. */
type Case = readonly [what: string, damage: Damage, says: string | RegExp]

/** Every command must refuse every case in one line that names the file, and leave no trace. */
function refuse(model: keyof Models, file: string, commands: readonly CommandName[], cases: readonly Case[], named = file): void {
  describe(`${file} of the ${model} model`, () => {
    test.each(cases)('%s', async (_, damage, says) => {
      await using folder = await hostileFolder(models[model])
      await folder.damage(file, damage)
      for (const command of commands) {
        const result = await folder.run(command)
        expectRefusal(result)
        expect(result.stderr, command).toContain(path.join(folder.model, named))
        expect(result.stderr, command).toMatch(says)
      }
    })
  })
}

const weights = 'model.safetensors'
const q = 'model.layers.0.self_attn.q_proj'
const k = 'model.layers.0.self_attn.k_proj'
const norm = 'model.layers.1.post_attention_layernorm.weight'
const ofOriginals: readonly CommandName[] = ['quantize', 'quantize --no-calib', 'run', 'eval ppl']
const ofQuantized: readonly CommandName[] = ['run', 'eval ppl', 'calibrate']

// What can be seen without reading the weights themselves.
refuse(
  'original',
  weights,
  [...ofOriginals, 'inspect'],
  [
    ['empty', content(''), /8 bytes/],
    ['shorter than a length', content('abc'), /8 bytes/],
    ['cut inside the header', truncated(0.01), 'header'],
    ['cut inside the data', truncated(0.5), /\.weight: /],
    ['one byte short', (file) => file.subarray(0, -1), /\.weight: /],
    ['longer than its tensors', (file) => Buffer.concat([file, Buffer.alloc(7)]), 'bytes of data'],
    ['another kind of file', content('PK\x03\x04 and more of a zip archive'), 'header'],
    ['a header of 2^63 bytes', headerLength(2n ** 63n), 'header'],
    ['a header of 2^64 − 1 bytes', headerLength(2n ** 64n - 1n), 'header'],
    ['a header of 4 GiB', headerLength(2n ** 32n), 'header'],
    ['a header of 0 bytes', headerLength(0n), 'header'],
    ['a flipped bit in the brace that begins the header', flipped(8, 5), 'header'],
    ['a flipped bit in the length', flipped(0, 0), 'header'],
    ['a header that is no object', inHeader(() => '[]'), 'header'],
    ['a header nested a hundred thousand deep', inHeader(() => `{"x":${'['.repeat(100_000)}`), 'nested'],
    ['a name twice', inHeader((header) => JSON.stringify(header).replace(`"${k}.weight"`, `"${q}.weight"`)), `${q}.weight: `],
    ['overlapping tensors', inHeader((h) => ({ ...h, extra: h[`${q}.weight`] })), /extra: |q_proj\.weight: /],
    ['an end beyond the file', offsets(norm, (begin, end) => [begin, end + 2 ** 40]), `${norm}: `],
    ['a begin after the end', offsets(norm, (begin, end) => [end, begin]), `${norm}: `],
    ['a begin that is no number', offsets(norm, (_, end) => ['0', end]), `${norm}: `],
    ['a fraction of a byte', offsets(norm, (begin, end) => [begin + 0.5, end]), `${norm}: `],
    ['a dtype that nobody knows', inTensor(norm, { dtype: 'F33' }), `${norm}: `],
    ['a dtype of another size', inTensor(norm, { dtype: 'F16' }), `${norm}: `],
    ['a shape whose product is beyond all numbers', inTensor(norm, { shape: [2 ** 52, 2 ** 52] }), `${norm}: `],
    ['a negative dimension', inTensor(norm, { shape: [-4, -8] }), `${norm}: `],
    ['integers for weights', inTensor(`${q}.weight`, { dtype: 'I32' }), `${q}.weight: expected dtype`],
    ['a shape turned round', inTensor(`${k}.weight`, { shape: [32, 16] }), `${k}.weight: expected shape [16,32]`],
    ['a vector for a matrix', inTensor(`${q}.weight`, { shape: [1024] }), `${q}.weight: expected shape`],
  ],
)

refuse(
  'original',
  weights,
  [...ofOriginals, 'inspect'],
  [
    ['missing', missing, 'found neither'],
    ['a tensor missing', without(`${q}.weight`), `${q}.weight: `],
  ],
  '',
)

const float32 = (value: number) => [...new Uint8Array(Float32Array.of(value).buffer)]
refuse('original', weights, ofOriginals, [
  ['NaN in a matrix', inData(`${q}.weight`, float32(Number.NaN)), /q_proj\.weight: .*(not a finite|NaN)/],
  ['infinity in a norm', inData(norm, float32(Number.POSITIVE_INFINITY)), /layernorm\.weight: .*not a finite/],
  ['infinity in the embedding', inData('model.embed_tokens.weight', float32(Number.NEGATIVE_INFINITY)), /embed_tokens\.weight: /],
])

refuse(
  'original',
  weights,
  ['quantize'],
  [['a weight so large that sums overflow', inData(`${q}.weight`, float32(3e38)), /o_proj: .*finite/]],
  '',
)

refuse(
  'sharded',
  'model.safetensors.index.json',
  [...ofOriginals, 'inspect'],
  [
    ['cut', truncated(0.5), 'not JSON'],
    ['a list', content('[]'), 'weight_map'],
    ['another folder', field(['weight_map', norm], '../x.safetensors'), `${norm}: expected the name`],
    ['no name', field(['weight_map', norm], 7), `${norm}: expected the name`],
  ],
)
refuse(
  'sharded',
  'model.safetensors.index.json',
  [...ofOriginals, 'inspect'],
  [
    ['a tensor in a file that does not have it', field(['weight_map', 'x'], 'model-00001-of-00003.safetensors'), 'x: '],
    [
      'a file that is not there',
      field(['weight_map', 'x'], 'model-00009-of-00003.safetensors'),
      /00009-of-00003\.safetensors: .*no such file/,
    ],
  ],
  'model-0000',
)

refuse(
  'original',
  'config.json',
  [...ofOriginals, 'inspect'],
  [
    ['missing', missing, 'no such file'],
    ['empty', content(''), 'not JSON'],
    ['cut', truncated(0.7), 'not JSON'],
    ['not UTF-8', content(Uint8Array.of(0x7b, 0xff, 0x7d)), 'UTF-8'],
    ['a list', content('[]'), 'config.json: '],
    ['an unknown architecture', field(['architectures'], ['MambaForCausalLM']), /MambaForCausalLM.*LlamaForCausalLM/],
    ['no architecture', field(['architectures'], undefined), 'architecture null'],
    ['a width that is text', field(['hidden_size'], '32'), 'hidden_size: '],
    ['a negative width', field(['hidden_size'], -32), 'hidden_size: '],
    ['a billion layers', field(['num_hidden_layers'], 1e9), 'num_hidden_layers: '],
    ['heads that do not divide', field(['num_key_value_heads'], 5), 'num_key_value_heads: '],
  ],
)
refuse(
  'original',
  'config.json',
  [...ofOriginals, 'inspect'],
  [
    ['another width', field(['hidden_size'], 64), /\.weight: expected shape \[/],
    ['another vocabulary', field(['vocab_size'], 300), /embed_tokens\.weight: expected shape \[300,32\]/],
  ],
  weights,
)
refuse('original', 'config.json', ofOriginals, [['a layer more', field(['num_hidden_layers'], 3), 'model.layers.2']], '')

refuse(
  'original',
  'tokenizer.json',
  ['quantize', 'run', 'eval ppl'],
  [
    ['missing', missing, 'no such file'],
    ['cut', truncated(0.5), 'not JSON'],
    ['empty', content(''), 'not JSON'],
    ['binary', content(Uint8Array.of(0, 255, 254)), 'UTF-8'],
    ['a list', content('[]'), 'tokenizer: '],
    ['no vocabulary', field(['model', 'vocab'], undefined), 'model.vocab: '],
    ['ids that are text', field(['model', 'vocab'], { a: '0' }), 'model.vocab: '],
    ['merges into nothing known', field(['model', 'merges'], [['q', 'z']]), 'model.merges: '],
    ['a model of another kind', field(['model', 'type'], 'Unigram'), 'Unigram'],
    ['an added token without text', field(['added_tokens', 0, 'content'], undefined), 'added_tokens.0.content: '],
    ['more tokens than the model has', field(['model', 'vocab', 'the cat'], 5000), /5000/],
  ],
)
refuse(
  'original',
  'tokenizer_config.json',
  ['quantize', 'run', 'eval ppl'],
  [
    ['cut', truncated(0.5), 'not JSON'],
    ['a list', content('[]'), 'expected a JSON object'],
  ],
)

const module0 = ['dpllm', 'quantizedModules', q]
refuse(
  'quantized',
  'config.json',
  [...ofQuantized, 'inspect'],
  [
    ['another format', field(['dpllm', 'format'], 2), 'dpllm.format: '],
    ['no modules', field(['dpllm', 'quantizedModules'], undefined), 'dpllm.quantizedModules: '],
    ['nine bits', field([...module0, 'bits'], [3, 9]), `dpllm.quantizedModules.${q}`],
    ['no bits', field([...module0, 'bits'], []), `dpllm.quantizedModules.${q}`],
  ],
)
refuse(
  'quantized',
  weights,
  [...ofQuantized, 'inspect'],
  [
    ['cut', truncated(0.9), /: /],
    ['planes of another width', inTensor(`${q}.planes`, { shape: [8, 16, 2] }), `${q}.planes: expected shape`],
    ['floats for planes', inTensor(`${q}.planes`, { dtype: 'F32' }), `${q}.planes: expected dtype`],
    ['a table of another length', inTensor(`${q}.lut4`, { shape: [16, 32] }), `${q}.lut4: expected shape`],
  ],
)
refuse('quantized', weights, [...ofQuantized, 'inspect'], [['a table missing', without(`${q}.lut3`), `${q}.lut3: `]], '')
refuse('quantized', weights, ofQuantized, [['infinity in a table', inData(`${q}.lut3`, [0, 0x7c]), /lut3: .*not a finite/]])

const json = path.join('profiles', 'dp-llm-4.json')
const matrices = path.join('profiles', 'dp-llm-4.safetensors')
const target = ['policy', 'targets', 0]
const estimators = ['policy', 'estimators', 'linears', 0]
const pair = [...estimators, 'pairs', 0]
const ofProfiles: readonly CommandName[] = ['run', 'run at a target', 'inspect a profile']
refuse(
  'quantized',
  json,
  [...ofProfiles, 'eval ppl', 'inspect'],
  [
    ['cut', truncated(0.5), 'not JSON'],
    ['a list', content('[]'), 'dp-llm-4.json: '],
    ['a newer format', field(['format'], 3), 'format 3'],
    ['an older format than it is', field(['format'], 1), 'estimator: '],
    ['a policy of another kind', field(['policy', 'kind'], 'oracle'), 'policy.kind: '],
    ['no targets', field(['policy', 'targets'], undefined), 'targets: '],
    ['a shift that is text', field([...target, 'shift'], '1'), 'shift: '],
    ['half a bit', field([...pair, 'low'], 3.5), 'low: '],
    ['forty bits', field([...pair, 'high'], 40), 'high: '],
  ],
)
refuse(
  'quantized',
  matrices,
  ['run at a target', 'inspect a profile'],
  [
    ['missing', missing, 'no such file'],
    ['cut', truncated(0.5), /(projection|quantiles): /],
    ['another dtype', inTensor(`${q}.3-4.projection`, { dtype: 'BF16' }), `${q}.3-4.projection: `],
    ['a vector', inTensor(`${q}.3-4.projection`, { shape: [2048] }), `${q}.3-4.projection: `],
    ['another width', inTensor(`${q}.3-4.projection`, { shape: [32, 64] }), `${q}.3-4.projection`],
    ['a matrix missing', without(`${q}.3-4.projection`), `${q}.3-4.projection`],
    ['NaN in a matrix', inData(`${q}.3-4.projection`, [0, 0x7e]), /q_proj\.3-4\.projection: .*not a finite/],
    ['quantiles missing', without(`${q}.3-4.quantiles`), `${q}.3-4.quantiles`],
  ],
)
refuse('quantized', json, ofProfiles, [
  ['no estimators of a linear', field([...estimators, 'name'], 'model.layers.9'), 'model.layers.9'],
  ['no average of a linear', field([...target, 'averageBits', q], undefined), q],
  ['fewer bits than the file has', field([...pair, 'low'], 2), q],
  ['low above high', field([...pair, 'low'], 5), q],
  ['more bits than the budget loads', field([...pair, 'high'], 7), q],
  ['a budget for a module that is not there', field(['maxBits', 'model.layers.9'], 4), 'model.layers.9'],
])

describe('texts', () => {
  const binary = Uint8Array.of(0x61, 0xc3, 0x28)
  test.each([
    ['missing', missing, 'no such file'],
    ['not UTF-8', content(binary), 'UTF-8'],
    ['shorter than what is to be read', content('a'), /: expected at least (one|two)/],
  ])('%s', async (_, damage, says) => {
    await using folder = await hostileFolder(models.quantized)
    await folder.damage('../text.txt', damage)
    for (const command of ['eval ppl', 'calibrate'] as const) {
      const result = await folder.run(command)
      expectRefusal(result)
      expect(result.stderr, command).toMatch(says)
    }
  })
})

test('undamaged models are refused by no command', async () => {
  for (const [model, commands] of [
    ['original', [...ofOriginals, 'inspect']],
    ['sharded', [...ofOriginals, 'inspect']],
    ['quantized', [...ofQuantized, 'run at a target', 'inspect', 'inspect a profile']],
  ] as const) {
    await using folder = await hostileFolder(models[model])
    // Taken apart and put together again, so that damage is the only difference.
    if (model !== 'sharded')
      await folder.damage(
        weights,
        inHeader((header) => header),
      )
    for (const command of commands) expect(await folder.run(command), command).toMatchObject({ code: 0, stderr: '' })
  }
})
