import { createMinHeap } from '../min-heap.js'

/**
 * The tokens of the k greatest logits in falling order; of equal ones the lower id first. O(V + k log k) for most
 * logits, O(V log k) at worst.
 * @param logits f32 [V] without NaN
 * @returns u32 [min(k, V)]
 */
export function topK(logits: Float32Array, k: number): Uint32Array {
  const size = logits.length
  const count = Math.min(k, size)
  if (count === 0) return new Uint32Array(0)
  // One number orders by logit, then by id; the heap's smallest is the worst token kept.
  const bits = new Int32Array(logits.buffer, logits.byteOffset, size)
  const keyOf = (v: number) => orderOf(bits[v]) * size + (size - 1 - v)
  const kept = createMinHeap(count)
  const idOf = (key: number) => size - 1 - (key % size)
  for (let v = 0; v < count; v++) kept.push(keyOf(v))
  let worst = logits[idOf(kept.smallest)]
  for (let v = count; v < size; v++) {
    // An equal one has a greater id than all kept, so it is worse.
    if (logits[v] <= worst) continue
    kept.pop()
    kept.push(keyOf(v))
    worst = logits[idOf(kept.smallest)]
  }
  const ids = new Uint32Array(count)
  for (let i = count - 1; i >= 0; i--) ids[i] = idOf(kept.pop())
  return ids
}

/** An integer from 0 to 2³² − 1 that orders as the float32 of these bits does; both zeros give the same. */
function orderOf(bits: number): number {
  return bits >= 0 ? bits + 2 ** 31 : 2 ** 31 - (bits & 0x7fffffff)
}
