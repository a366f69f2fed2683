import { createRandom } from '../../random.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { randomTensor } from '../random-weights.js'
import { f32Tolerance } from '../tolerance.js'

/** Attention over a cache that is filled in several steps; grouped heads, windows, a truncated cache. */
export function attentionCases(): OperatorCase[] {
  const random = createRandom(2)
  const shapes = [
    { heads: 6, kvHeads: 6, headDim: 48, lengths: [1, 1, 1] },
    { heads: 8, kvHeads: 4, headDim: 8, lengths: [5, 1, 4] },
    { heads: 4, kvHeads: 1, headDim: 64, lengths: [33, 1, 1] },
    { heads: 32, kvHeads: 8, headDim: 128, lengths: [17, 1] },
    { heads: 4, kvHeads: 2, headDim: 80, lengths: [20, 1, 7], window: 9 },
    { heads: 2, kvHeads: 2, headDim: 5, lengths: [3, 2] },
    { heads: 4, kvHeads: 2, headDim: 32, lengths: [12, 4], positions: [0, 6] },
    { heads: 2, kvHeads: 2, headDim: 64, lengths: [300, 1] },
    { heads: 8, kvHeads: 1, headDim: 40, lengths: [1, 2, 150, 1], window: 130 },
    { heads: 14, kvHeads: 2, headDim: 20, lengths: [130, 1, 1] },
  ]
  return shapes.map(({ heads, kvHeads, headDim, lengths, window, positions }) => {
    const total = lengths.reduce((a, b) => a + b, 0)
    let token = 0
    let position = 0
    const steps = lengths.map((length, i) => {
      const tokens = Uint32Array.from({ length }, (_, t) => token + t)
      const at = positions?.[i] ?? position
      token += length
      position = at + length
      return { tokens, position: at }
    })
    const longest = Math.max(...steps.map((s) => s.position + s.tokens.length))
    return operatorCase(
      `attention H=${heads} Hkv=${kvHeads} d=${headDim} T=${lengths}${window ? ` window=${window}` : ''}${positions ? ' truncated' : ''}`,
      {
        inputs: {
          q: randomTensor(random, [total, heads * headDim]),
          k: randomTensor(random, [total, kvHeads * headDim]),
          v: randomTensor(random, [total, kvHeads * headDim]),
        },
        outs: { y: { width: heads * headDim } },
        operators: [
          {
            kind: 'attention',
            q: 'q',
            k: 'k',
            v: 'v',
            layer: 0,
            heads,
            kvHeads,
            headDim,
            scale: 1 / Math.sqrt(headDim),
            ...(window === undefined ? {} : { window }),
            out: 'y',
          },
        ],
        caches: [{ width: kvHeads * headDim }],
        steps,
        // A score of size s has an error of about 2^-24 √(d/2) s, which is the relative error of its weight; the largest
        // scores of these inputs are below 8. Then a sum over the positions.
        tolerance: f32Tolerance(8 * Math.sqrt(headDim / 2) + Math.sqrt(longest / 2) + 8),
      },
    )
  })
}
