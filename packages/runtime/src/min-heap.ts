/** A binary min-heap of numbers. */
export interface MinHeap {
  readonly size: number
  /** The heap must not be empty. */
  readonly smallest: number
  push(key: number): void
  /** Removes and returns the smallest; the heap must not be empty. */
  pop(): number
}

/** @param capacity most keys that it will hold at once */
export function createMinHeap(capacity: number): MinHeap {
  const keys = new Float64Array(capacity)
  let size = 0
  return {
    get size() {
      return size
    },
    get smallest() {
      return keys[0]
    },
    push(key) {
      let i = size++
      while (i > 0) {
        const parent = (i - 1) >> 1
        if (keys[parent] <= key) break
        keys[i] = keys[parent]
        i = parent
      }
      keys[i] = key
    },
    pop() {
      const smallest = keys[0]
      const last = keys[--size]
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= size) break
        if (child + 1 < size && keys[child + 1] < keys[child]) child++
        if (keys[child] >= last) break
        keys[i] = keys[child]
        i = child
      }
      keys[i] = last
      return smallest
    },
  }
}
