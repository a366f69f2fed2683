/**
 * The random seed of a row: MurmurHash3 (Appleby, 32 bits) of its bits, begun with the seed of the run. So a row's
 * result depends on the run's seed and its weights alone, not on how a matrix is cut into calls or a run is continued.
 * @param seed u32
 * @returns u32
 */
export function rowSeed(seed: number, row: Float32Array): number {
  const words = new Uint32Array(row.buffer, row.byteOffset, row.length)
  let hash = seed | 0
  for (const word of words) {
    hash ^= Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
    hash = (Math.imul(rotateLeft(hash, 13), 5) + 0xe6546b64) | 0
  }
  hash ^= row.byteLength
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}
