import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A header as the format spells it. */
export type RawHeader = Record<
  string,
  { dtype: string; shape: number[]; data_offsets: [number, number] } | Record<string, string>
>

/** A safetensors file put together by hand, without the code under test. */
export function encodeFile(header: RawHeader | string, data: Uint8Array, length?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(length ?? BigInt(json.length))
  return Buffer.concat([prefix, json, data])
}

/** The header's text and the data of a file that is well formed. */
export function decodeFile(bytes: Uint8Array): { header: RawHeader; data: Uint8Array } {
  const file = Buffer.from(bytes)
  const begin = 8 + Number(file.readBigUInt64LE(0))
  return { header: JSON.parse(file.toString('utf8', 8, begin)), data: file.subarray(begin) }
}

/** Bytes that differ from their neighbours, so that a wrong offset shows. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 255)
}

/** Small well-formed files by name: what the format allows and our models use. */
export function smallFiles(): Record<string, Uint8Array> {
  return {
    'no tensors': encodeFile({}, pattern(0)),
    'metadata only': encodeFile({ __metadata__: { format: 'pt', '': 'ü' } }, pattern(0)),
    'every dtype': encodeFile(
      {
        float: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
        int: { dtype: 'I32', shape: [2], data_offsets: [24, 32] },
        word: { dtype: 'U32', shape: [3], data_offsets: [32, 44] },
        half: { dtype: 'F16', shape: [5], data_offsets: [44, 54] },
        brain: { dtype: 'BF16', shape: [1, 2], data_offsets: [54, 58] },
        byte: { dtype: 'U8', shape: [3], data_offsets: [58, 61] },
      },
      pattern(61),
    ),
    'scalars and empty tensors': encodeFile(
      {
        __metadata__: { format: 'pt' },
        empty: { dtype: 'F32', shape: [0, 4], data_offsets: [0, 0] },
        scalar: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
        'empty too': { dtype: 'U8', shape: [0], data_offsets: [4, 4] },
      },
      pattern(4),
    ),
    'bit-planes': encodeFile(
      {
        'layer.planes': { dtype: 'U32', shape: [4, 3, 2], data_offsets: [0, 96] },
        'layer.lut3': { dtype: 'F16', shape: [3, 8], data_offsets: [96, 144] },
        'layer.lut4': { dtype: 'F16', shape: [3, 16], data_offsets: [144, 240] },
      },
      pattern(240),
    ),
    // Allowed by the format, although no dtype is aligned here.
    'not aligned, not in order': encodeFile(
      {
        second: { dtype: 'F32', shape: [2], data_offsets: [1, 9] },
        first: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      },
      pattern(9),
    ),
  }
}

/** An empty folder that is removed with all that is in it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'dpllm-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
