import path from 'node:path'
import { DpllmError, FileFormatError, InvalidArgumentError } from '@dpllm/core'
import { readJson } from '@dpllm/core/node'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { createBytePairEncoder } from './byte-pair-encoder.js'
import { adaptPreTokenizer } from './pre-tokenizers.js'
import { readSpecialTokens } from './special-tokens.js'
import { parseTokenDecoder } from './token-bytes.js'
import { createTokenDecoder, type TokenDecoder } from './token-decoder.js'
import { parseTokenizerJson, type TokenizerJson } from './tokenizer-json.js'

export interface DecodeOptions {
  /** Leave out tokens that tokenizer.json marks as special (<s>, <|eot_id|>). Default false. */
  readonly skipSpecialTokens?: boolean
}

export interface StreamOptions extends DecodeOptions {
  /** Tokens that the text follows, a prompt say: their text is not given again, but a space between is. */
  readonly after?: ArrayLike<number>
}

/** Text to tokens and back. */
export interface Tokenizer {
  /** Greatest token id + 1. A model may have more rows than that; they are never tokens of a text. */
  readonly vocabSize: number
  /** The token that begins a sequence, if the model knows one. */
  readonly bosId: number | undefined
  readonly bosToken: string | undefined
  /** The tokens that end an answer. */
  readonly eosIds: readonly number[]
  readonly eosToken: string | undefined
  /**
   * Texts of special tokens inside `text` become these tokens.
   * @param options.addSpecialTokens what the model expects around a text, usually the beginning token. Default true.
   */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Uint32Array
  /**
   * The text of tokens. Nothing is "cleaned up", so that decoding what was encoded gives the text again.
   * Ids that are no token are left out; bytes that are not UTF-8 become U+FFFD.
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string
  /** The token as the vocabulary spells it (▁the, Ġthe, <0x0A>); undefined if the id is none. */
  token(id: number): string | undefined
  /** The id of a token as the vocabulary spells it. */
  idOf(token: string): number | undefined
  /** Decodes token by token: the pieces together are what `decode` gives for all. */
  createDecoder(options?: StreamOptions): TokenDecoder
}

/**
 * Reads the tokenizer of a model folder: tokenizer.json, and what the config files beside it say about its special tokens.
 * @throws FileFormatError naming the file and the field; UnsupportedError for kinds of tokenizers that are not known
 */
export async function loadTokenizer(directory: string): Promise<Tokenizer> {
  const file = path.join(directory, 'tokenizer.json')
  const parsed = parseTokenizerJson(await readJson(file), file)
  const { tokens, ids } = tokenTable(parsed)
  const special = await readSpecialTokens(directory, (token) => ids.get(token))
  const encodeIds = createEncoder(parsed, special.bosId, special.addBos, file)
  const decoding = createByteTable(parsed, tokens, file)

  const bytesOf = ({ skipSpecialTokens = false }: DecodeOptions) => (skipSpecialTokens ? decoding.textBytes : decoding.bytes)
  const createDecoder = (options: StreamOptions = {}) => {
    const bytes = bytesOf(options)
    return createTokenDecoder(bytes, decoding.leadingSpaces, concatenate(options.after ?? [], bytes))
  }
  return {
    vocabSize: tokens.length,
    bosId: special.bosId,
    bosToken: special.bosToken,
    eosIds: special.eosIds,
    eosToken: special.eosToken,
    encode: (text, { addSpecialTokens = true } = {}) => encodeIds(text, addSpecialTokens),
    decode(sequence, options = {}) {
      const decoder = createTokenDecoder(() => concatenate(sequence, bytesOf(options)), decoding.leadingSpaces)
      return decoder.push(0) + decoder.end()
    },
    token: (id) => tokens[id],
    idOf: (token) => ids.get(token),
    createDecoder,
  }
}

/** The whole vocabulary, added tokens included; they win where both name an id. */
function tokenTable({ vocabulary, addedTokens }: TokenizerJson): { tokens: (string | undefined)[]; ids: Map<string, number> } {
  const ids = new Map(vocabulary)
  const tokens: (string | undefined)[] = []
  for (const [token, id] of vocabulary) tokens[id] = token
  for (const { id, content } of addedTokens) {
    ids.set(content, id)
    tokens[id] = content
  }
  return { tokens, ids }
}

/** What is used of the library, whose own types do not resolve under NodeNext. */
interface LibraryTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
  /** Its BPE calls `bpe` for the tokens of each word. */
  readonly model: { bpe(word: string): string[] }
}

/** The library normalises, finds added tokens, pre-tokenizes and adds special tokens; the merging is ours. */
function createEncoder(
  { json, vocabulary, merges, addedTokens }: TokenizerJson,
  bosId: number | undefined,
  addBos: boolean,
  file: string,
): (text: string, addSpecialTokens: boolean) => Uint32Array {
  const encode = guarded(file, () => {
    const { normalizer = null, post_processor = null } = json
    const pre_tokenizer = adaptPreTokenizer(json.pre_tokenizer, file)
    // Without its merges and decoder, as it would build tables for them that nothing reads.
    const model = { ...json.model, merges: [] }
    const library: LibraryTokenizer = new Library(
      { ...json, added_tokens: addedTokens, normalizer, pre_tokenizer, post_processor, decoder: null, model },
      {},
    )
    library.model.bpe = createBytePairEncoder(vocabulary, merges)
    return (text: string, add_special_tokens: boolean) => library.encode(text, { add_special_tokens }).ids
  })
  // Broken post-processors and patterns show only when they are used.
  const around = guarded(file, () => encode('a 1\n', true))
  if (!around.every((id) => Number.isInteger(id))) {
    throw new FileFormatError(file, 'gives tokens that are not in the vocabulary', { item: 'post_processor' })
  }
  // Early Llama 3 files leave the beginning token to whoever reads add_bos_token.
  const prepend = addBos && bosId !== undefined && around[0] !== bosId
  return (text, addSpecialTokens) => {
    const ids = encode(text, addSpecialTokens)
    return Uint32Array.from(prepend && addSpecialTokens ? [bosId, ...ids] : ids)
  }
}

/** Errors of the library, while it reads a file, are errors of the file. */
function guarded<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (DpllmError.isInstance(cause)) throw cause
    throw new FileFormatError(file, `is not a tokenizer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function createByteTable({ json, addedTokens }: TokenizerJson, tokens: readonly (string | undefined)[], file: string) {
  const decoder = parseTokenDecoder(json.decoder, file)
  const nothing = new Uint8Array(0)
  // Added tokens stand for their own text, whatever the decoder makes of others.
  const table: (Uint8Array | undefined)[] = []
  for (const { id, content } of addedTokens) table[id] = new TextEncoder().encode(content)
  const special = new Set(addedTokens.filter((token) => token.special).map((token) => token.id))
  const bytes = (id: number): Uint8Array => {
    if (!Number.isInteger(id) || id < 0) throw new InvalidArgumentError('ids', 'token ids, integers from 0', id)
    const token = tokens[id]
    if (token === undefined) return nothing
    table[id] ??= decoder.bytes(token)
    return table[id]
  }
  return { bytes, textBytes: (id: number) => (special.has(id) ? nothing : bytes(id)), leadingSpaces: decoder.leadingSpaces }
}

function concatenate(ids: ArrayLike<number>, bytesOf: (id: number) => Uint8Array): Uint8Array {
  let length = 0
  for (let i = 0; i < ids.length; i++) length += bytesOf(ids[i]).length
  const all = new Uint8Array(length)
  for (let i = 0, at = 0; i < ids.length; at += bytesOf(ids[i++]).length) all.set(bytesOf(ids[i]), at)
  return all
}
