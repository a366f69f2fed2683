import { pickle } from './pickler.js'
import type { PythonValue, Storage } from './python-values.js'
import { type Entry, zip } from './zip.js'

export interface TorchSaveOptions {
  /** Name of the folder in the file. */
  readonly prefix?: string
  /** Content of the entry that torch 2 writes; false for none, as before it. */
  readonly byteorder?: string | false
  /** Changes the entries. */
  readonly entries?: (entries: Entry[]) => Entry[]
  readonly zip64End?: boolean
}

/** The bytes of data.pkl. */
export function dataPkl(value: PythonValue): Uint8Array {
  return pickleWithStorages(value).data
}

/** A file of torch.save, written without torch: for tests of what reads them. */
export function torchSave(value: PythonValue, options: TorchSaveOptions = {}): Uint8Array {
  const { prefix = 'archive', byteorder = 'little', entries = (all) => all, zip64End = true } = options
  const { data, storages } = pickleWithStorages(value)
  const entry = (name: string, content: Uint8Array): Entry => ({ name: `${prefix}/${name}`, data: content })
  const all = [
    entry('data.pkl', data),
    ...(byteorder === false ? [] : [entry('byteorder', Buffer.from(byteorder))]),
    ...storages.map(({ bytes }, i) => entry(`data/${i}`, bytes)),
    entry('version', Buffer.from('3\n')),
  ]
  return zip(entries(all), { zip64End })
}

function pickleWithStorages(value: PythonValue): { data: Uint8Array; storages: Storage[] } {
  const storages: Storage[] = []
  const data = pickle(value, (storage) => {
    if (!storages.includes(storage)) storages.push(storage)
    return String(storages.indexOf(storage))
  })
  return { data, storages }
}
