import { FileFormatError, isJsonObject, UnsupportedError } from '@dpllm/core'
import { z } from 'zod'

/** Ids are below this, so that a hostile file cannot ask for huge tables. The largest vocabularies in use have 262 thousand. */
export const MAX_VOCABULARY = 2 ** 20

/** Longest pattern: the longest in use have some 600 characters, and the library's rewriting of them is quadratic. */
const MAX_PATTERN_LENGTH = 8192

const id = z
  .number()
  .int()
  .min(0)
  .max(MAX_VOCABULARY - 1)

const addedToken = z.looseObject({ id, content: z.string().min(1), special: z.boolean().optional() })

/** The parts of a tokenizer.json that are read here; the library reads `normalizer`, `pre_tokenizer`, `post_processor`. */
const schema = z.looseObject({
  added_tokens: z.array(addedToken).nullish(),
  normalizer: z.looseObject({}).nullish(),
  pre_tokenizer: z.looseObject({}).nullish(),
  post_processor: z.looseObject({}).nullish(),
  decoder: z.looseObject({}).nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    fuse_unk: z.boolean().nullish(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
  }),
})

/** A checked `tokenizer.json` with a BPE model. */
export interface TokenizerJson {
  readonly json: z.infer<typeof schema>
  readonly vocabulary: ReadonlyMap<string, number>
  /** Pairs of tokens by falling priority; both and their concatenation are in the vocabulary. */
  readonly merges: readonly (readonly [string, string])[]
  readonly addedTokens: readonly { readonly id: number; readonly content: string; readonly special?: boolean | undefined }[]
}

/**
 * Checks everything of a tokenizer.json that decides about memory, ids and merges.
 * @throws FileFormatError naming the field; UnsupportedError for models other than BPE
 */
export function parseTokenizerJson(value: unknown, file: string): TokenizerJson {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new FileFormatError(file, issue.message, { item: issue.path.join('.') || 'tokenizer' })
  }
  const json = parsed.data
  const { model } = json
  const type = model.type ?? ('merges' in model ? 'BPE' : undefined)
  if (type !== 'BPE') throw new UnsupportedError(`${file}: tokenizer model ${JSON.stringify(type ?? null)}; only BPE is known`)
  if (model.continuing_subword_prefix || model.end_of_word_suffix) {
    throw new UnsupportedError(`${file}: BPE with a subword prefix or a word suffix is not known`)
  }
  const vocabulary = parseVocabulary(model.vocab, file)
  const merges = parseMerges(model.merges, vocabulary, file)
  const addedTokens = json.added_tokens ?? []
  const added = new Set(addedTokens.map((token) => token.content))
  const checkToken = (token: unknown, item: string) => {
    if (typeof token === 'string' && (vocabulary.has(token) || added.has(token))) return
    throw new FileFormatError(file, `${JSON.stringify(token)} is not in the vocabulary`, { item })
  }
  if (model.unk_token != null) checkToken(model.unk_token, 'model.unk_token')
  visit([json.normalizer, json.pre_tokenizer], (node) => checkPattern(node, file))
  // The library would put the unknown token in the place of a special token that it does not find.
  visit(json.post_processor, ({ SpecialToken: token }) => {
    if (token !== undefined) checkToken(isJsonObject(token) ? token.id : token, 'post_processor')
  })
  return { json: { ...json, model: { ...model, type } }, vocabulary, merges, addedTokens }
}

function parseVocabulary(vocab: unknown, file: string): Map<string, number> {
  const item = 'model.vocab'
  if (!isJsonObject(vocab)) throw new FileFormatError(file, 'expected an object of tokens and ids', { item })
  const vocabulary = new Map(Object.entries(vocab)) as Map<string, number>
  if (vocabulary.size === 0) throw new FileFormatError(file, 'is empty', { item })
  const seen = new Uint8Array(MAX_VOCABULARY)
  for (const [token, tokenId] of vocabulary) {
    if (!Number.isInteger(tokenId) || tokenId < 0 || tokenId >= MAX_VOCABULARY) {
      throw new FileFormatError(file, `id of ${JSON.stringify(token)}: expected an integer from 0 to ${MAX_VOCABULARY - 1}`, {
        item,
      })
    }
    if (seen[tokenId])
      throw new FileFormatError(file, `id ${tokenId} stands for two tokens, one is ${JSON.stringify(token)}`, { item })
    seen[tokenId] = 1
  }
  return vocabulary
}

function parseMerges(merges: unknown, vocabulary: ReadonlyMap<string, number>, file: string): [string, string][] {
  const item = 'model.merges'
  if (!Array.isArray(merges)) throw new FileFormatError(file, 'expected an array', { item })
  return merges.map((merge: unknown, rank) => {
    const pair: unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
    const [left, right] = pair
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      throw new FileFormatError(file, `merge ${rank}: expected two tokens`, { item })
    }
    for (const token of [left, right, left + right]) {
      if (!vocabulary.has(token)) {
        throw new FileFormatError(file, `merge ${rank}: ${JSON.stringify(token)} is not in the vocabulary`, { item })
      }
    }
    return [left, right]
  })
}

/** Every Replace and Split has a pattern, as the library does not insist on it. */
function checkPattern(node: Record<string, unknown>, file: string): void {
  if (node.type !== 'Replace' && node.type !== 'Split') return
  const pattern = isJsonObject(node.pattern) ? (node.pattern.Regex ?? node.pattern.String) : undefined
  if (typeof pattern !== 'string' || pattern.length > MAX_PATTERN_LENGTH) {
    throw new FileFormatError(file, `expected {"String"} or {"Regex"} of at most ${MAX_PATTERN_LENGTH} characters`, {
      item: `${node.type}.pattern`,
    })
  }
}

/** Calls `check` for every object inside. */
function visit(node: unknown, check: (node: Record<string, unknown>) => void): void {
  if (isJsonObject(node)) check(node)
  if (typeof node === 'object' && node !== null) for (const child of Object.values(node)) visit(child, check)
}
