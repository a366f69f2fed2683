import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadTokenizer, type Tokenizer } from './tokenizer.js'

/** The expected ids are those of Hugging Face's `tokenizers` 0.23.2 (Rust); of the stories models also llama.cpp's. */

const data = process.env.DPLLM_DATA

async function load(name: string): Promise<Tokenizer> {
  if (name.startsWith('stories')) return loadTokenizer(path.join(data as string, name))
  const directory = await mkdtemp(path.join(tmpdir(), 'dpllm-'))
  for (const file of name === 'llama3' ? ['tokenizer.json', 'tokenizer_config.json'] : ['tokenizer.json']) {
    await copyFile(path.join(data as string, 'tokenizers', `${name}.${file}`), path.join(directory, file))
  }
  const tokenizer = await loadTokenizer(directory)
  await rm(directory, { recursive: true })
  return tokenizer
}

const texts = [
  'Hello world',
  '  two  spaces\tand\n\nnewlines \r\n',
  'naïve café — “quotes” ½ ² ٣',
  '日本語と中文, 한국어, ไทย',
  '👩‍👩‍👧 🇩🇪 😀!',
  'def f(x):\n    return x**2  # 1234567\n',
  "it's I'LL we've 3.14",
  '\u00a0\ufeff\u0085 end',
]

// biome-ignore format: one text a line
const ids: Record<string, number[][]> = {
  stories15M: [
    [15043, 3186],
    [259, 1023, 29871, 8162, 12, 392, 13, 13, 1482, 9012, 6756, 13],
    [1055, 30085, 345, 274, 28059, 813, 1346, 339, 4769, 30024, 29871, 30226, 29871, 30088, 29871, 220, 166],
    [29871, 30325, 30346, 30968, 30364, 30275, 30333, 29892, 29871, 30877, 31293, 31129, 29892, 29871, 31252, 30595, 30549],
    [29871, 243, 162, 148, 172, 30722, 243, 162, 148, 172, 30722, 243, 162, 148, 170, 29871, 243, 162, 138, 172, 243, 162, 138, 173, 29871, 243, 162, 155, 131, 29991],
    [822, 285, 29898, 29916, 1125, 13, 1678, 736, 921, 1068, 29906, 29871, 396, 29871, 29896, 29906, 29941, 29946, 29945, 29953, 29955, 13],
    [372, 29915, 29879, 306, 29915, 2208, 591, 29915, 345, 29871, 29941, 29889, 29896, 29946],
    [20246, 30143, 197, 136, 1095],
  ],
  llama3: [
    [9906, 1917],
    [220, 1403, 220, 12908, 53577, 271, 943, 8128, 2591],
    [3458, 38672, 588, 53050, 2001, 1054, 54382, 863, 220, 27154, 220, 30556, 220, 117413],
    [102433, 102158, 19732, 108891, 11, 104008, 32179, 11, 124554],
    [9468, 239, 102, 102470, 9468, 239, 102, 102470, 9468, 239, 100, 11410, 229, 102, 9468, 229, 103, 91416, 0],
    [755, 282, 2120, 997, 262, 471, 865, 334, 17, 220, 674, 220, 4513, 10961, 22, 198],
    [275, 596, 358, 6, 4178, 584, 3077, 220, 18, 13, 975],
    [4194, 3305, 116360, 842],
  ],
  smollm2: [
    [19556, 905],
    [216, 827, 216, 5600, 197, 397, 198, 198, 2241, 5110, 216, 2738],
    [3546, 46494, 37366, 1841, 619, 385, 2346, 573, 216, 16738, 216, 19133, 216, 164, 113],
    [23274, 115, 40993, 179, 120, 248, 7365, 118, 28589, 29184, 28, 216, 33085, 246, 181, 130, 251, 183, 240, 129, 28, 216, 31933, 222, 10283, 241, 10283, 112],
    [10813, 235, 119, 321, 231, 10813, 235, 119, 321, 231, 10813, 235, 117, 15107, 225, 119, 10813, 225, 120, 40303, 218, 17],
    [1604, 275, 24, 104, 727, 472, 1003, 1792, 828, 34, 216, 907, 216, 33, 34, 35, 36, 37, 38, 39, 198],
    [269, 506, 339, 23, 16421, 392, 3543, 216, 35, 30, 33, 36],
    [15442, 186, 136, 140, 141, 223, 1112],
  ],
}

/** Number and SHA-256 (of u32, little-endian) of the ids of whole files. */
const files: [tokenizer: string, file: string, count: number, sha256: string][] = [
  ['stories15M', 'tinystories/valid-a.txt', 108241, '123e159528b1bbc3520f6e05582519f34503f2b55500f063e48ebc4838ef6ec7'],
  ['stories15M', 'wikitext2/wiki.test.raw', 335687, '2115c2febc5a0616e00011635a26f6cab215cf7508e5893de0ef469b7475f3ca'],
  ['stories260K', 'tinystories/valid-a.txt', 193793, '5456b630767c6c548469704db9ef67d1323c0da44bf0dfb0a07068d455132830'],
  ['stories260K', 'wikitext2/wiki.test.raw', 809289, '361291d3bf24dbb495a949f274fbb0e48a4fe2b933a75b09e44216f22c26be88'],
  ['llama3', 'tinystories/valid-a.txt', 94394, '5ebfd8b412848dd6703a48b6cb54f262aeddcc9c3d7187a5375718506677496c'],
  ['llama3', 'wikitext2/wiki.test.raw', 289076, '36ce8ec09afe1b1c331123fed448048f52525852f88f32bb2c544b1b11440a38'],
  ['smollm2', 'tinystories/valid-a.txt', 97824, 'c64920427c2bf02f1aecfcebd5d024eaaa6e2b23524a3d6c89b36b12932b3077'],
  ['smollm2', 'wikitext2/wiki.test.raw', 303415, '18e663b61dd00f49796c8a6ae498b7dbe009cac4a2eaf3c67fa7d81baf47d945'],
]

describe.skipIf(!data)('real tokenizers', () => {
  test.each(Object.keys(ids))('%s: ids, and the texts again', async (name) => {
    const tokenizer = await load(name)
    for (const [i, text] of texts.entries()) {
      const encoded = tokenizer.encode(text, { addSpecialTokens: false })
      expect([...encoded]).toEqual(ids[name][i])
      expect(tokenizer.decode(encoded)).toBe(text)
      const decoder = tokenizer.createDecoder()
      expect([...encoded].map((id) => decoder.push(id)).join('') + decoder.end()).toBe(text)
    }
  })

  test.each(files)('%s on %s', async (name, file, count, sha256) => {
    const tokenizer = await load(name)
    const text = await readFile(path.join(data as string, file), 'utf8')
    const encoded = tokenizer.encode(text, { addSpecialTokens: false })
    expect(encoded.length).toBe(count)
    expect(createHash('sha256').update(new Uint8Array(encoded.buffer)).digest('hex')).toBe(sha256)
    expect(tokenizer.decode(encoded) === text).toBe(true)
  })

  test('special tokens', async () => {
    const llama3 = await load('llama3')
    expect(llama3).toMatchObject({ vocabSize: 128256, bosId: 128000, eosIds: [128001] })
    expect([...llama3.encode('<|begin_of_text|>x<|eot_id|>', { addSpecialTokens: false })]).toEqual([128000, 87, 128009])
    const stories = await load('stories15M')
    expect(stories).toMatchObject({ vocabSize: 32000, bosId: 1, eosIds: [2] })
    expect([...stories.encode('Hello')]).toEqual([1, 15043])
    expect(stories.createDecoder({ after: stories.encode('Once') }).push(15043)).toBe(' Hello')
  })
})
