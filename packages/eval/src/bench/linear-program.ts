import type { Program, ValueInfo } from '@dpllm/core'

/** A matrix that a program multiplies with. */
export interface LinearShape {
  readonly name: string
  readonly rows: number
  readonly cols: number
}

/** Name of the value f32 [T, cols] that linears of that width read: an input of each step. */
export function inputOfWidth(cols: number): string {
  return `x.${cols}`
}

/**
 * A program of nothing but linears, each with bits of its own: linears of equal width read the same input. A linear's weight is
 * `name`, its output `name.out`.
 */
export function linearProgram(linears: readonly LinearShape[]): Program {
  const values: Record<string, ValueInfo> = { tokens: { dtype: 'u32', shape: ['T'] } }
  for (const { name, rows, cols } of linears) {
    values[inputOfWidth(cols)] = { dtype: 'f32', shape: ['T', cols] }
    values[`${name}.bits`] = { dtype: 'u8', shape: ['T'] }
    values[`${name}.estimate`] = { dtype: 'f32', shape: ['T'] }
    values[`${name}.out`] = { dtype: 'f32', shape: ['T', rows] }
  }
  const operators = linears.flatMap(({ name, cols }) => {
    const x = inputOfWidth(cols)
    return [
      { kind: 'select' as const, x, weight: name, bits: `${name}.bits`, estimate: `${name}.estimate` },
      { kind: 'linear' as const, x, weight: name, bits: `${name}.bits`, out: `${name}.out` },
    ]
  })
  return { values, operators, caches: [], inputs: [...new Set(linears.map(({ cols }) => inputOfWidth(cols)))] }
}
