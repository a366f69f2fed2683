import { expect, test } from 'vitest'
import { drawLabels } from './draw-labels.js'

test('tokens are drawn as often as they are probable', () => {
  const tokens = 20000
  const probabilities = [0.5, 0.1, 0, 0.4]
  const logits = Float32Array.from({ length: 4 * tokens }, (_, i) => 300 + Math.log(probabilities[i % 4]))
  const counts = [0, 0, 0, 0]
  for (const label of drawLabels(logits, tokens, 0, 0)) counts[label]++
  // Five standard deviations of a count of a half.
  for (const [label, p] of probabilities.entries()) expect(Math.abs(counts[label] / tokens - p)).toBeLessThan(0.018)
  expect(counts[2]).toBe(0)
})

test('each row is drawn from its own probabilities, and seed and window decide', () => {
  const logits = Float32Array.from({ length: 100 * 100 }, (_, i) => (i % 100 === Math.floor(i / 100) ? 50 : 0))
  expect([...drawLabels(logits, 100, 3, 4)]).toEqual(Array.from({ length: 100 }, (_, t) => t))
  const flat = new Float32Array(100 * 100)
  const draw = (seed: number, window: number) => drawLabels(flat, 100, seed, window).join()
  expect(draw(3, 4)).toBe(draw(3, 4))
  expect(new Set([draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1), draw(2, 0)]).size).toBe(5)
})
