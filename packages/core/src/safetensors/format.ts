import type { DType } from '../tensor.js'

// The safetensors format (https://github.com/huggingface/safetensors, README "Format"):
//   u64 little-endian: bytes of the header
//   the header: a JSON object { name: { dtype, shape, data_offsets: [begin, end] }, …, __metadata__?: { string: string } }
//   the data: offsets count from here; tensors cover it without holes or overlaps

/** Bytes of the length that begins the file. */
export const LENGTH_BYTES = 8

/** Longest header that is read: the same limit as the format's own reader has. */
export const MAX_HEADER_BYTES = 100_000_000

/** Most tensors in one file; published checkpoints with the most experts have some thousand in a shard. */
export const MAX_TENSORS = 2 ** 18

/** Longest name, in UTF-16 units; names are paths of modules, some ten units per level. */
export const MAX_NAME_LENGTH = 1024

/** Most dimensions of a tensor; numpy allows 64, models use up to 5. */
export const MAX_DIMENSIONS = 16

/** The data begins at a multiple of this, so that a mapped file can be read with the widest vector loads. */
export const DATA_ALIGNMENT = 64

export const METADATA_KEY = '__metadata__'

/** Our name for a dtype of the file, for those that are read. */
export const dtypeOfFile: ReadonlyMap<string, DType> = new Map([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
  ['U8', 'u8'],
  ['I32', 'i32'],
  ['U32', 'u32'],
])

/**
 * Bytes for each element of the format's other dtypes. Old checkpoints hold buffers of these that no program needs
 * (position ids, masks), so they are known to be there, but not read. The dtypes of less than a byte are not known.
 */
export const unreadDTypes: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['I8', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['I16', 2],
  ['U16', 2],
  ['I64', 8],
  ['U64', 8],
  ['F64', 8],
  ['C64', 8],
])

/** A tensor of a file. */
export interface SafetensorsTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** First byte, from the beginning of the data. */
  readonly begin: number
  /** Byte after the last. */
  readonly end: number
}

/** What the header of a file says. */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  /** Tensors of dtypes that are not read: the dtype, as the file spells it, by name. */
  readonly unread: ReadonlyMap<string, string>
}

/** Bytes of a tensor; undefined if the shape's element count or its bytes are no safe integer, or a dimension is none. */
export function tensorBytes(elementBytes: number, shape: readonly number[]): number | undefined {
  let nonZero = elementBytes
  let empty = false
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0 || Object.is(d, -0)) return undefined
    if (d === 0) empty = true
    else nonZero *= d
    // Zeros are left out, so that no product of some of the dimensions can overflow either.
    if (!Number.isSafeInteger(nonZero)) return undefined
  }
  return empty ? 0 : nonZero
}
