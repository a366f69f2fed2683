import path from 'node:path'
import { bytesPerElement, elementCount, InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { type TensorEntry, writeWhole } from '@dpllm/core/node'
import { type SavedDType, stateDictPickle } from './pickle/state-dict-pickle.js'
import { writeZip, type ZipMember } from './zip/zip-writer.js'

/** A tensor to be saved, or one that is another's (a tied head): then they share a storage. */
export type TorchEntry =
  | (Omit<TensorEntry, 'dtype'> & { readonly dtype: SavedDType })
  | { readonly name: string; readonly sameAs: string }

export interface WriteTorchOptions {
  readonly signal?: AbortSignal | undefined
  /** Called after every tensor, in bytes. */
  readonly onProgress?: OnProgress | undefined
}

/**
 * Writes a state dict as torch.save does, one tensor in memory at a time: a ZIP file of stored entries, which `torch.load`
 * reads with `weights_only` too. It appears whole or not at all; equal entries give equal bytes.
 * @throws InvalidArgumentError for a name that is there twice, a `sameAs` that is not there before, or data of another size
 * than declared; DpllmError ERR_DPLLM_WRITE if the system does not let it; whatever a data function throws
 */
export async function writeTorchFile(
  file: string,
  entries: readonly TorchEntry[],
  options: WriteTorchOptions = {},
): Promise<void> {
  const { signal, onProgress } = options
  const prefix = path.basename(file, path.extname(file))
  const tensors = new Map<string, { key: string; dtype: SavedDType; shape: readonly number[] }>()
  const storages: ZipMember[] = []
  for (const entry of entries) {
    if (tensors.has(entry.name)) throw new InvalidArgumentError('entries', 'every name once', entry.name)
    if ('sameAs' in entry) {
      const other = tensors.get(entry.sameAs)
      if (other === undefined) throw new InvalidArgumentError('entries', 'a tensor before the one that is the same', entry.sameAs)
      tensors.set(entry.name, other)
      continue
    }
    const { dtype, shape } = entry
    const key = String(storages.length)
    tensors.set(entry.name, { key, dtype, shape })
    storages.push({ name: `${prefix}/data/${key}`, size: elementCount(shape) * bytesPerElement[dtype], data: entry.data })
  }

  const member = (name: string, data: Uint8Array): ZipMember => ({ name: `${prefix}/${name}`, size: data.length, data })
  const members = [
    member('data.pkl', stateDictPickle(tensors)),
    member('byteorder', Buffer.from('little')),
    ...storages,
    member('version', Buffer.from('3\n')),
  ]
  const total = storages.reduce((sum, { size }) => sum + size, 0)
  const isStorage = new Set(storages)
  let done = 0
  await writeWhole(file, (handle) =>
    writeZip(handle, members, {
      signal,
      onMember: (written) => {
        if (!isStorage.has(written)) return
        done += written.size
        onProgress?.({ stage: 'write', done, total, unit: 'B' })
      },
    }),
  )
}
