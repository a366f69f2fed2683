/**
 * Any-Precision's order of the bits in a row of a plane (its pack.py; Any-Precision LLM §5.3, "weight bitplane layout
 * optimisation"). The row's bits, most significant first in each byte, are cut into blocks of 32 words, the last one
 * shorter. Of a block of W words, word t holds the bytes t, W + t, 2W + t, 3W + t, the first of them the most significant:
 * so neighbouring threads of a GPU need neighbouring activations. Our bits are least significant first, so every byte is
 * also turned around. Both directions are the same up to which side is written.
 */

/** Words of a full block: one for each thread of a warp. */
const BLOCK_WORDS = 32

/** Byte b with its bits in the other order. */
const reversed = Uint8Array.from({ length: 256 }, (_, byte) => {
  let out = 0
  for (let bit = 0; bit < 8; bit++) out |= ((byte >> bit) & 1) << (7 - bit)
  return out
})

/**
 * Brings rows of our planes (bit i of word w is column 32w + i) into Any-Precision's order.
 * @param planes u32 [rows, wordsPerRow]
 * @returns i32 [rows, wordsPerRow]
 */
export function toAnyPrecision(planes: Uint32Array, wordsPerRow: number): Int32Array {
  const out = new Int32Array(planes.length)
  const [ours, theirs] = [bytesOf(planes), bytesOf(out)]
  forEachByte(planes.length, wordsPerRow, (our, their) => {
    theirs[their] = reversed[ours[our]]
  })
  return out
}

/**
 * The way back.
 * @param qweight i32 [rows, wordsPerRow]
 * @returns u32 [rows, wordsPerRow]
 */
export function fromAnyPrecision(qweight: Int32Array, wordsPerRow: number): Uint32Array {
  const out = new Uint32Array(qweight.length)
  const [theirs, ours] = [bytesOf(qweight), bytesOf(out)]
  forEachByte(qweight.length, wordsPerRow, (our, their) => {
    ours[our] = reversed[theirs[their]]
  })
  return out
}

/** Calls with the places of the same eight columns in our bytes and in theirs; words are little-endian. */
function forEachByte(words: number, wordsPerRow: number, visit: (our: number, their: number) => void): void {
  for (let row = 0; row < words; row += wordsPerRow) {
    for (let block = 0; block < wordsPerRow; block += BLOCK_WORDS) {
      const W = Math.min(BLOCK_WORDS, wordsPerRow - block)
      const begin = 4 * (row + block)
      for (let j = 0; j < 4; j++) {
        for (let t = 0; t < W; t++) visit(begin + j * W + t, begin + 4 * t + 3 - j)
      }
    }
  }
}

function bytesOf(words: Uint32Array | Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}
