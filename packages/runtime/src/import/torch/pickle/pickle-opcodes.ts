/**
 * Opcodes of pickles that are read: those that Python's pickler writes for our values by protocols 2 to 5 (Python's
 * pickletools.py lists all).
 */
export const opcodes = {
  mark: 0x28,
  stop: 0x2e,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  binint: 0x4a,
  binint1: 0x4b,
  binint2: 0x4d,
  long1: 0x8a,
  long4: 0x8b,
  binfloat: 0x47,
  binunicode: 0x58,
  shortBinunicode: 0x8c,
  binunicode8: 0x8d,
  binbytes: 0x42,
  shortBinbytes: 0x43,
  binbytes8: 0x8e,
  emptyTuple: 0x29,
  tuple: 0x74,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  emptyList: 0x5d,
  append: 0x61,
  appends: 0x65,
  emptyDict: 0x7d,
  setitem: 0x73,
  setitems: 0x75,
  binput: 0x71,
  longBinput: 0x72,
  memoize: 0x94,
  binget: 0x68,
  longBinget: 0x6a,
  global: 0x63,
  stackGlobal: 0x93,
  reduce: 0x52,
  build: 0x62,
  binpersid: 0x51,
  proto: 0x80,
  frame: 0x95,
} as const

/** Names of the others, for messages. Some of them make objects of any class. */
const refused: Readonly<Record<number, string>> = {
  48: 'POP',
  49: 'POP_MARK',
  50: 'DUP',
  70: 'FLOAT',
  73: 'INT',
  76: 'LONG',
  80: 'PERSID',
  83: 'STRING',
  84: 'BINSTRING',
  85: 'SHORT_BINSTRING',
  86: 'UNICODE',
  100: 'DICT',
  103: 'GET',
  105: 'INST',
  108: 'LIST',
  111: 'OBJ',
  112: 'PUT',
  129: 'NEWOBJ',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  146: 'NEWOBJ_EX',
  150: 'BYTEARRAY8',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
}

/** Name of an opcode that is not read. */
export function opcodeName(code: number): string {
  const hex = `0x${code.toString(16).padStart(2, '0')}`
  return refused[code] === undefined ? hex : `${refused[code]} (${hex})`
}
