import { expect } from 'vitest'

interface Results {
  readonly ways: Readonly<Record<string, { readonly bits: number; readonly error: number }>>
  readonly kinds: readonly string[]
}

/** What the example is to show, whoever runs it. */
export function checkResults({ ways, kinds }: Results): void {
  for (const target of [3.25, 3.5]) {
    const [dynamic, chance] = [ways[`dynamic ${target}`], ways[`chance ${target}`]]
    // The inputs are others than those calibrated on: 400 tokens, of whose mean the standard error is some 0.02 bits.
    expect(Math.abs(dynamic.bits - target)).toBeLessThan(0.06)
    expect(Math.abs(chance.bits - target)).toBeLessThan(0.06)
    expect(dynamic.error).toBeLessThan(0.9 * chance.error)
    expect(dynamic.error).toBeGreaterThan(ways['always 4'].error)
    expect(dynamic.error).toBeLessThan(ways['always 3'].error)
  }
  expect(ways['dynamic 3.5'].error).toBeLessThan(ways['dynamic 3.25'].error)
  expect(kinds).toEqual(['projection', 'linear', 'linear', 'linear'])
}
