import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { writeSafetensors } from '@dpllm/core/node'

/** A folder that has what tells models from each other, and no model. */
export async function writeModelFolder(folder: string, value: number): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const name of ['config.json', 'tokenizer.json']) await writeFile(path.join(folder, name), '{}')
  const data = new Float32Array(4).fill(value)
  await writeSafetensors(path.join(folder, 'model.safetensors'), [{ name: 'w', dtype: 'f32', shape: [4], data }])
  return folder
}
