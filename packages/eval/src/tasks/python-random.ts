/** Python's `random.Random`, as far as few-shot examples are drawn with it. */
export interface PythonRandom {
  /** A uniform 32-bit unsigned integer. */
  uint32(): number
  /** `sample(range(n), k)`: k different whole numbers below n, in the order drawn. */
  sample(n: number, k: number): number[]
}

const N = 624
const M = 397

/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) seeded as CPython does with a whole number, and CPython's way
 * of drawing without replacement, so that the examples are the very ones that lm-evaluation-harness draws.
 * @param seed whole number from 0 to 2³² − 1
 */
export function createPythonRandom(seed: number): PythonRandom {
  const state = seeded(seed >>> 0)
  let next = N
  const uint32 = () => {
    if (next === N) {
      twist(state)
      next = 0
    }
    let y = state[next++]
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
  const below = (n: number) => {
    const bits = 32 - Math.clz32(n)
    for (;;) {
      const drawn = uint32() >>> (32 - bits)
      if (drawn < n) return drawn
    }
  }
  return {
    uint32,
    sample(n, k) {
      // CPython draws from a pool where that takes less memory than remembering what was drawn: the numbers differ.
      const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0)
      if (n > setSize) {
        const drawn = new Set<number>()
        while (drawn.size < k) {
          // A number drawn before is drawn again.
          let j = below(n)
          while (drawn.has(j)) j = below(n)
          drawn.add(j)
        }
        return [...drawn]
      }
      const pool = Array.from({ length: n }, (_, i) => i)
      return Array.from({ length: k }, (_, i) => {
        const j = below(n - i)
        const value = pool[j]
        pool[j] = pool[n - i - 1]
        return value
      })
    },
  }
}

/** The reference code's `init_by_array` with one word. */
function seeded(key: number): Uint32Array {
  const mt = new Uint32Array(N)
  mt[0] = 19650218
  for (let i = 1; i < N; i++) mt[i] = Math.imul(1812433253, mt[i - 1] ^ (mt[i - 1] >>> 30)) + i
  let i = 1
  const step = (multiplier: number, addend: number) => {
    mt[i] = (mt[i] ^ Math.imul(mt[i - 1] ^ (mt[i - 1] >>> 30), multiplier)) + addend
    if (++i === N) {
      mt[0] = mt[N - 1]
      i = 1
    }
  }
  for (let k = 0; k < N; k++) step(1664525, key)
  for (let k = 0; k < N - 1; k++) step(1566083941, -i)
  mt[0] = 0x80000000
  return mt
}

function twist(mt: Uint32Array): void {
  for (let i = 0; i < N; i++) {
    const y = (mt[i] & 0x80000000) | (mt[(i + 1) % N] & 0x7fffffff)
    mt[i] = mt[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
  }
}
