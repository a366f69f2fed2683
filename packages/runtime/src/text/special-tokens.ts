import path from 'node:path'
import { FileFormatError, isJsonObject } from '@dpllm/core'
import { readOptionalJson } from './optional-json.js'
import { MAX_VOCABULARY } from './tokenizer-json.js'

/** What the files beside tokenizer.json say about the beginning and the end of a sequence. */
export interface SpecialTokens {
  readonly bosId: number | undefined
  /** All tokens that end an answer, without repetition. */
  readonly eosIds: readonly number[]
  readonly bosToken: string | undefined
  readonly eosToken: string | undefined
  /** tokenizer_config.json's `add_bos_token`. */
  readonly addBos: boolean
}

/**
 * Reads `tokenizer_config.json`, `special_tokens_map.json`, `generation_config.json` and `config.json`; each may be missing.
 * The end tokens are those of all files, since chat models end turns with another token than documents; the beginning
 * is that of the first file that names one, and there is none where tokenizer_config.json says null.
 * @param idOf id of a token in tokenizer.json
 * @throws FileFormatError for fields of a wrong type and tokens that the vocabulary does not have
 */
export async function readSpecialTokens(directory: string, idOf: (token: string) => number | undefined): Promise<SpecialTokens> {
  const named = await readAll(directory, ['tokenizer_config.json', 'special_tokens_map.json'])
  const numbered = await readAll(directory, ['generation_config.json', 'config.json'])

  const token = (key: string) => {
    for (const { file, json } of named) {
      if (json[key] === null) return { token: undefined, id: undefined, none: true }
      const text = tokenText(json[key], file, key)
      if (text === undefined) continue
      const id = idOf(text)
      if (id === undefined)
        throw new FileFormatError(file, `${JSON.stringify(text)} is not in the vocabulary of tokenizer.json`, { item: key })
      return { token: text, id, none: false }
    }
    return { token: undefined, id: undefined, none: false }
  }
  const bos = token('bos_token')
  const eos = token('eos_token')
  const bosIds = numbered.flatMap(({ file, json }) => ids(json.bos_token_id, file, 'bos_token_id'))
  const eosIds = numbered.flatMap(({ file, json }) => ids(json.eos_token_id, file, 'eos_token_id'))
  if (eos.id !== undefined) eosIds.unshift(eos.id)
  return {
    bosId: bos.id ?? (bos.none ? undefined : bosIds[0]),
    eosIds: [...new Set(eosIds)],
    bosToken: bos.token,
    eosToken: eos.token,
    addBos: named.some(({ json }) => json.add_bos_token === true),
  }
}

async function readAll(directory: string, names: string[]): Promise<{ file: string; json: Record<string, unknown> }[]> {
  const found = []
  for (const name of names) {
    const file = path.join(directory, name)
    const json = await readOptionalJson(file)
    if (json !== undefined) found.push({ file, json })
  }
  return found
}

/** A token is given as its text or as an object with its text. */
function tokenText(value: unknown, file: string, item: string): string | undefined {
  const text = isJsonObject(value) ? value.content : value
  if (text !== undefined && typeof text !== 'string') throw new FileFormatError(file, 'expected a token', { item })
  return text
}

function ids(value: unknown, file: string, item: string): number[] {
  if (value === undefined || value === null) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  for (const id of list) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCABULARY) {
      throw new FileFormatError(file, 'expected a token id or a list of them', { item })
    }
  }
  return list as number[]
}
