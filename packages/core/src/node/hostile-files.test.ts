import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Mutation, mutations } from '../../test/mutations.js'
import { decodeFile, smallFiles, temporaryFolder } from '../../test/small-files.js'
import { FileFormatError } from '../errors.js'
import { bytesPerElement, elementCount } from '../tensor.js'
import { openCheckpoint } from './checkpoint.js'
import { CHECKPOINT_FILE, CHECKPOINT_INDEX_FILE } from './checkpoint-index.js'

type Outcome = 'read' | 'file refused' | 'tensor refused'

/**
 * Reads all of a folder's weights. Whatever its files hold, that must end in a FileFormatError for one of them or in
 * tensors of just the declared shapes with just the bytes of the file, and leave the folder as it was.
 */
async function readHostile(directory: string): Promise<Outcome> {
  const before = await readdir(directory)
  try {
    await using checkpoint = await openCheckpoint(directory)
    const files = new Map<string, ReturnType<typeof decodeFile>>()
    for (const [name, info] of checkpoint.tensors) {
      if (!files.has(info.file)) files.set(info.file, decodeFile(await readFile(info.file)))
      const { header, data } = files.get(info.file) as ReturnType<typeof decodeFile>
      const declared = new Map(Object.entries(header)).get(name) as { dtype: string; shape: number[]; data_offsets: number[] }
      const tensor = await checkpoint.read(name)
      expect(tensor.dtype).toBe(declared.dtype.toLowerCase())
      expect(tensor.shape).toEqual(declared.shape)
      expect(tensor.data.length).toBe(elementCount(tensor.shape))
      expect(tensor.data.BYTES_PER_ELEMENT).toBe(bytesPerElement[tensor.dtype])
      const [begin, end] = declared.data_offsets
      const bytes = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)
      expect(bytes.equals(data.subarray(begin, end))).toBe(true)
    }
    return 'read'
  } catch (error) {
    if (!(error instanceof FileFormatError)) throw error
    expect(error.file.startsWith(directory)).toBe(true)
    expect(error.message.length).toBeLessThan(1000)
    expect(error.message).not.toMatch(/\p{Cc}/u)
    // Then a size from the file would have been believed.
    expect(error.message).not.toMatch(/do not fit in memory/)
    return error.item === undefined ? 'file refused' : 'tensor refused'
  } finally {
    expect(await readdir(directory)).toEqual(before)
  }
}

/** Reads a file once for every mutation. */
async function mutate(original: Uint8Array, numRuns: number): Promise<Record<Outcome, number>> {
  await using folder = await temporaryFolder()
  const outcomes = { read: 0, 'file refused': 0, 'tensor refused': 0 }
  const read = async (mutation: Mutation) => {
    await writeFile(join(folder.path, CHECKPOINT_FILE), mutation(original))
    outcomes[await readHostile(folder.path)]++
  }
  await fc.assert(fc.asyncProperty(mutations, read), { numRuns })
  return outcomes
}

/** Each outcome must occur often: mutations that all fail at the first check show nothing. */
function expectVariety(outcomes: Record<Outcome, number>): void {
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(20)
}

test.each(Object.entries(smallFiles()))('a mutated file with %s is refused or read as it is', async (_, original) => {
  const outcomes = await mutate(original, 500)
  if (original.length > 100) expectVariety(outcomes)
})

test('bits that flip in the data only change the data', async () => {
  await using folder = await temporaryFolder()
  const original = smallFiles()['bit-planes']
  for (let i = 1; i <= 240; i++) {
    const changed = new Uint8Array(original)
    changed[changed.length - i] ^= 1 << (i % 8)
    await writeFile(join(folder.path, CHECKPOINT_FILE), changed)
    expect(await readHostile(folder.path)).toBe('read')
  }
})

test('a file cut anywhere is refused', async () => {
  await using folder = await temporaryFolder()
  const original = smallFiles()['scalars and empty tensors']
  for (let length = 0; length < original.length; length++) {
    await writeFile(join(folder.path, CHECKPOINT_FILE), original.subarray(0, length))
    expect(await readHostile(folder.path)).toMatch(/refused/)
  }
})

test('a mutated index is refused or read as it is', async () => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'a.safetensors'), smallFiles()['bit-planes'])
  await writeFile(join(folder.path, 'b.safetensors'), smallFiles()['every dtype'])
  const index = { metadata: { total_size: 301 }, weight_map: { 'layer.planes': 'a.safetensors', byte: 'b.safetensors' } }
  const text = new TextEncoder().encode(JSON.stringify(index))
  const value = fc.oneof(
    fc.constantFrom('../a.safetensors', 'b.safetensors', '__proto__', '.', CHECKPOINT_INDEX_FILE),
    fc.jsonValue(),
  )
  const changed = fc.oneof(
    mutations.map((mutation) => mutation(Buffer.concat([Buffer.alloc(8), text])).slice(8)),
    fc.tuple(fc.nat(text.length - 1), fc.nat(255)).map(([at, byte]) => text.with(at, byte)),
    fc
      .dictionary(fc.constantFrom('byte', 'layer.planes', '__proto__', 'other'), value)
      .map((map) => JSON.stringify({ weight_map: map })),
    fc.jsonValue().map((json) => JSON.stringify(json)),
  )
  const outcomes = { read: 0, 'file refused': 0, 'tensor refused': 0 }
  const read = async (content: string | Uint8Array) => {
    await writeFile(join(folder.path, CHECKPOINT_INDEX_FILE), content)
    outcomes[await readHostile(folder.path)]++
  }
  await fc.assert(fc.asyncProperty(changed, read), { numRuns: 1000 })
  expectVariety(outcomes)
})

test.skipIf(!process.env.DPLLM_DATA)('a mutated real model is refused or read as it is', async () => {
  const original = await readFile(join(process.env.DPLLM_DATA as string, 'stories260K', CHECKPOINT_FILE))
  expectVariety(await mutate(original, 300))
})
