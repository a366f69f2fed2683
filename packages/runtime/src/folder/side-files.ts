import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileFormatError } from '@dpllm/core'
import { MAX_JSON_BYTES, openRegularFile, readJson, writeFileAtomic } from '@dpllm/core/node'

/** Files beside the weights that are copied unchanged: tokenizer, chat template, defaults of generation. */
const COPIED = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
])

/** Whether a file of that name is copied. */
export function isSideFile(name: string): boolean {
  return COPIED.has(name)
}

/**
 * Names of the files to be copied from a model's folder.
 * @throws FileFormatError if one is not a regular file, too large, or not the JSON that its name says
 */
export async function findSideFiles(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter(isSideFile).sort()
  for (const name of names) {
    const path = join(directory, name)
    await using file = await openRegularFile(path)
    if (file.size > MAX_JSON_BYTES) throw new FileFormatError(path, `has ${file.size} bytes, at most ${MAX_JSON_BYTES} are read`)
    if (name.endsWith('.json')) await readJson(path)
  }
  return names
}

/** Copies files from one folder to another. */
export async function copySideFiles(names: readonly string[], from: string, to: string): Promise<void> {
  for (const name of names) await writeFileAtomic(join(to, name), await readFile(join(from, name)))
}
