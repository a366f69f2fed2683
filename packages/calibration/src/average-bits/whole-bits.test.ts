import { expect, test } from 'vitest'
import { addGradient, createGradientMoments, wholeBitsGradient } from './whole-bits.js'

const linears = [
  { weights: 1, minBits: 3, maxBits: 6 },
  { weights: 1, minBits: 3, maxBits: 4 },
  { weights: 1, minBits: 3, maxBits: 3 },
]

/** Gradients of windows of four predictions that differ by ±spread from their mean. */
function momentsOf(windows: number, center: number, spread: number) {
  const moments = createGradientMoments(3)
  for (let i = 0; i < windows; i++) addGradient(moments, new Float64Array(3).fill(center + (i % 2 === 0 ? spread : -spread)), 4)
  return moments
}

test('the curvature is the variance of one prediction; it pulls to the nearer whole number', () => {
  const at = (p: number[], center: number) => wholeBitsGradient(linears, Float64Array.from(p), momentsOf(2000, center, 0.5), 2000)
  // Variance of 2 (± 0.5): 1, but for the last windows' greater weight in the mean.
  for (const center of [0, -3]) {
    const [low, high, fixed] = at([3.25, 3.875, 3], center)
    expect(low).toBeCloseTo(0.25, 3)
    expect(high).toBeCloseTo(-0.375, 3)
    expect(fixed).toBe(0)
  }
  expect(at([5.5, 3.5, 3], 1)[0]).toBe(0)
  // At the most bits the pair is the one below.
  expect(at([6, 4, 3], 1)[0]).toBeCloseTo(-0.5, 3)
})

test('for a quadratic loss it is what whole bits add to the mixture, exactly', () => {
  // Loss ½ b (d + p)²: of l with probability 1 − f, of h with f, minus that at p = l + f.
  const [b, d] = [0.7, -1.3]
  const loss = (p: number) => (b * (d + p) ** 2) / 2
  const added = (p: number) => {
    const l = Math.floor(p)
    return (1 - (p - l)) * loss(l) + (p - l) * loss(l + 1) - loss(p)
  }
  for (const p of [3.1, 3.5, 4.8]) {
    const difference = (added(p + 1e-4) - added(p - 1e-4)) / 2e-4
    expect(difference).toBeCloseTo(b * (0.5 - (p - Math.floor(p))), 8)
  }
})

test('few windows say nothing', () => {
  const p = Float64Array.of(3.1, 3.1, 3)
  expect([...wholeBitsGradient(linears, p, momentsOf(7, 1, 1), 7)]).toEqual([0, 0, 0])
  expect(wholeBitsGradient(linears, p, momentsOf(8, 1, 1), 8)[0]).toBeGreaterThan(0)
})
