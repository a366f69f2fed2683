/**
 * Any-Precision's order of the bits in a row of a plane (its pack.py; Any-Precision LLM §5.3, "weight bitplane layout
 * optimisation"). The row's bits, most significant first in each byte, are cut into blocks of 32 words, the last one
 * shorter. Of a block of W words, word t holds the bytes t, W + t, 2W + t, 3W + t, the first of them the most significant:
 * so neighbouring threads of a GPU need neighbouring activations. Our bits are least significant first, so every byte is
 * also turned around.
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
  permute(bytesOf(planes), bytesOf(out), wordsPerRow, true)
  return out
}

/**
 * The way back.
 * @param qweight i32 [rows, wordsPerRow]
 * @returns u32 [rows, wordsPerRow]
 */
export function fromAnyPrecision(qweight: Int32Array, wordsPerRow: number): Uint32Array {
  const out = new Uint32Array(qweight.length)
  permute(bytesOf(qweight), bytesOf(out), wordsPerRow, false)
  return out
}

/** Moves and turns around the bytes of little-endian words; `toTheirs` says which way. */
function permute(from: Uint8Array, to: Uint8Array, wordsPerRow: number, toTheirs: boolean): void {
  for (let row = 0; row < from.length; row += 4 * wordsPerRow) {
    for (let block = 0; block < wordsPerRow; block += BLOCK_WORDS) {
      const W = Math.min(BLOCK_WORDS, wordsPerRow - block)
      const begin = row + 4 * block
      for (let j = 0; j < 4; j++) {
        for (let t = 0; t < W; t++) {
          const our = begin + j * W + t
          const their = begin + 4 * t + 3 - j
          if (toTheirs) to[their] = reversed[from[our]]
          else to[our] = reversed[from[their]]
        }
      }
    }
  }
}

function bytesOf(words: Uint32Array | Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}
