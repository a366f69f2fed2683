import type { FileHandle } from 'node:fs/promises'
import { InvalidArgumentError } from '../errors.js'
import type { OnProgress } from '../progress.js'
import { layoutTensors, serializeSafetensorsHeader, type TensorDeclaration } from '../safetensors/serialize.js'
import { writeBytes } from './bytes.js'
import { writeWhole } from './temporary-file.js'

/** A tensor's elements, row-major: all at once, or in pieces one after another. */
export type TensorData = ArrayBufferView | AsyncIterable<ArrayBufferView>

/** A tensor to be written: `{ name, ...tensor }`, or a declaration with a function that makes the data when its turn comes. */
export interface TensorEntry extends TensorDeclaration {
  readonly data: ArrayBufferView | (() => TensorData | Promise<TensorData>)
}

export interface WriteOptions {
  /** Written as the header's `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Seen between tensors and every 16 MiB; the write then throws the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined
  /** Called after every tensor, in bytes. */
  readonly onProgress?: OnProgress | undefined
}

/**
 * Writes a safetensors file, one tensor in memory at a time. It appears whole or not at all; equal entries give equal
 * bytes. Tensors stand in the order given if that aligns each for its dtype, otherwise wider elements first; data
 * functions are called in the order of the file.
 * @throws InvalidArgumentError if a declaration is impossible or data has other than the declared bytes;
 * DpllmError ERR_DPLLM_WRITE if the system does not let it; whatever a data function throws
 */
export async function writeSafetensors(path: string, entries: Iterable<TensorEntry>, options: WriteOptions = {}): Promise<void> {
  const { metadata, signal, onProgress } = options
  const dataOf = new Map<string, TensorEntry['data']>()
  const declarations: TensorDeclaration[] = []
  for (const entry of entries) {
    declarations.push(entry)
    dataOf.set(entry.name, entry.data)
  }
  const tensors = layoutTensors(declarations)
  const header = serializeSafetensorsHeader(tensors, metadata)
  const total = tensors.at(-1)?.end ?? 0

  await writeWhole(path, async (handle) => {
    await writeBytes(handle, header, signal)
    for (const { name, begin, end } of tensors) {
      signal?.throwIfAborted()
      const data = dataOf.get(name) as TensorEntry['data']
      await writeTensor(handle, name, end - begin, typeof data === 'function' ? await data() : data, signal)
      onProgress?.({ stage: 'write', done: end, total, unit: 'B' })
    }
    signal?.throwIfAborted()
  })
}

async function writeTensor(
  handle: FileHandle,
  name: string,
  bytes: number,
  data: TensorData,
  signal: AbortSignal | undefined,
): Promise<void> {
  let written = 0
  for await (const piece of ArrayBuffer.isView(data) ? [data] : data) {
    written += piece.byteLength
    if (written > bytes) break
    await writeBytes(handle, piece, signal)
  }
  if (written !== bytes) {
    throw new InvalidArgumentError(
      name,
      `${bytes} bytes of data for its shape`,
      `${written > bytes ? 'at least ' : ''}${written}`,
    )
  }
}
