import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Small tokenizers in the two ways that the supported models have them, written to folders for tests. */

type Json = Record<string, unknown>

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')
const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
})
const numbered = (tokens: string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]))

/** As Llama 2: <unk> <s> </s>, 256 bytes from id 3, some characters, merges; the whole text is one word. */
export function sentencePieceTokenizer(): Json & { model: Json; decoder: Json; added_tokens: Json[] } {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`)
  const merges = ['▁ t', 'h e', '▁t he', 'l l', 'o n', '▁ ▁', '▁▁ ▁▁', 'a a', 'aa aa']
  const tokens = [
    '<unk>',
    '<s>',
    '</s>',
    ...bytes,
    '▁',
    ...'abcdefghijklmnopqrstuvwxyz.!é',
    ...merges.map((merge) => merge.replace(' ', '')),
  ]
  return {
    version: '1.0',
    added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: {},
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', unk_token: '<unk>', fuse_unk: true, byte_fallback: true, vocab: numbered(tokens), merges },
  }
}

/** As SmolLM2: 256 bytes from id 0, merges, <|end|>; digits one by one. */
export function byteLevelTokenizer(): Json & { model: Json; pre_tokenizer: Json; added_tokens: Json[] } {
  const printable = (b: number) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xff && b !== 0xad)
  let other = 256
  const bytes = Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : other++))
  const merges = ['Ġ t', 'h e', 'Ġt he', 'Ġ Â', 'Â ½', 'Ġ Ġ']
  const tokens = [...bytes, ...merges.map((merge) => merge.replace(' ', ''))]
  return {
    version: '1.0',
    added_tokens: [special(tokens.length, '<|end|>'), { ...special(tokens.length + 1, '<think>'), special: false }],
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', unk_token: null, byte_fallback: false, vocab: numbered(tokens), merges },
  }
}

/** Writes files, JSON unless they are strings, into a new folder that goes when the test's scope ends. */
export async function folder(files: Record<string, unknown>): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'dpllm-'))
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return { path: directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}
