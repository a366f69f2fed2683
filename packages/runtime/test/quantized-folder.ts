import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { importAnyPrecision } from '../src/import/any-precision/import-any-precision.js'
import { familyCases } from '../src/models/testing/family-cases.js'
import { packModel } from './any-precision-model.js'
import { sentencePieceTokenizer } from './tokenizers.js'
import { torchSave } from './torch-save/torch-save.js'

/** Writes a Llama of two blocks, random and quantized to 3 … 6 bits, with a tokenizer, to a folder that is not there yet. */
export async function writeQuantizedFolder(directory: string): Promise<void> {
  const packed = packModel(familyCases.find((c) => c.name === 'llama, grouped heads')!.config, { maxBits: 6, seed: 11 })
  const source = `${directory}-packed`
  await mkdir(source)
  await writeFile(path.join(source, 'config.json'), JSON.stringify(packed.config))
  await writeFile(path.join(source, 'tokenizer.json'), JSON.stringify(sentencePieceTokenizer()))
  await writeFile(path.join(source, 'pytorch_model.bin'), torchSave(packed.stateDict))
  await importAnyPrecision({ source, out: directory })
  await rm(source, { recursive: true })
}
