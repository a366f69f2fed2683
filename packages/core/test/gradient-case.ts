import { expect } from 'vitest'
import { gradientProgram } from '../src/gradient/gradient-program.js'
import { givenName, gradientName } from '../src/gradient/names.js'
import type { Operator } from '../src/program/operators.js'
import type { Dimension, Program, ValueInfo } from '../src/program/program.js'
import type { Weight } from '../src/program/weights.js'
import { createRandom } from '../src/random.js'
import { createReferenceBackend } from '../src/reference/backend.js'
import { centralDifference, relativeError, runInF64, type StepInF64 } from '../src/testing/index.js'

/** Operators between inputs and outputs, whose gradients are compared with differences. */
export interface GradientCase {
  /** Shapes of the values that are inputs, in the step's T and R; random normal numbers, unless given. */
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>
  readonly outs: Readonly<Record<string, readonly Dimension[]>>
  /** Values between inputs and outputs. */
  readonly values?: Readonly<Record<string, ValueInfo>>
  readonly operators: readonly Operator[]
  readonly weights?: Readonly<Record<string, Weight>>
  readonly caches?: Program['caches']
  readonly step?: Partial<StepInF64>
  /** In place of random inputs. */
  readonly at?: Readonly<Record<string, readonly number[]>>
}

/** Tokens of a case's step, unless given. */
export const T = 5

/**
 * Compares d⟨c, outs⟩/d inputs for random c, every element of it, with central differences in f64: relative error of each
 * input's gradient at most 1e-6 computed in f64, and at most 1e-3 by the reference backend, in f32.
 */
export async function expectGradients(c: GradientCase): Promise<void> {
  const random = createRandom(1)
  const values: Record<string, ValueInfo> = {
    rows: { dtype: 'u32', shape: ['R'] },
    targets: { dtype: 'u32', shape: ['R'] },
    ...c.values,
  }
  for (const [name, shape] of Object.entries({ ...c.inputs, ...c.outs })) values[name] = { dtype: 'f32', shape }
  const names = Object.keys(c.inputs)
  const outputs = Object.keys(c.outs)
  const program: Program = { values, operators: c.operators, caches: c.caches ?? [], inputs: names }
  const weights = new Map(Object.entries(c.weights ?? {}))
  const step = { tokens: new Uint32Array(T), position: 0, ...c.step }
  const elements = (shape: readonly Dimension[]) =>
    shape.reduce<number>((n, d) => n * (d === 'T' ? step.tokens.length : d === 'R' ? (step.rows?.length ?? 1) : d), 1)
  // Rounded to f32, so that the f32 and the f64 program see the same.
  const normal = (shape: readonly Dimension[]) => Float32Array.from({ length: elements(shape) }, () => random.normal())
  const inputs = Object.fromEntries(
    names.map((name) => [name, c.at?.[name] ? Float32Array.from(c.at[name]) : normal(c.inputs[name])]),
  )
  const cotangents = Object.fromEntries(outputs.map((name) => [name, normal(c.outs[name])]))

  const objective = (changed: Record<string, Float32Array | Float64Array>) => {
    const result = runInF64(program, weights, { ...step, inputs: changed, outputs })
    return outputs.reduce((sum, name) => sum + dot(result.outputs[name], cotangents[name]), 0)
  }
  const reverse = gradientProgram(program, { given: outputs, of: names })
  const given = Object.fromEntries(outputs.map((name) => [givenName(name), cotangents[name]]))
  const wanted = { ...step, outputs: names.map(gradientName) }
  const inF64 = runInF64(reverse, weights, { ...wanted, inputs: { ...inputs, ...given } })
  await using compiled = await createReferenceBackend().compile(reverse, weights)
  using cache = compiled.createCache(step.tokens.length)
  const inF32 = await compiled.run({ ...wanted, inputs: { ...inputs, ...given }, cache })

  for (const name of names) {
    const differences = Array.from(inputs[name], (x, i) =>
      centralDifference((h) => objective({ ...inputs, [name]: Float64Array.from(inputs[name]).fill(x + h, i, i + 1) })),
    )
    expect(differences.some((d) => d !== 0)).toBe(true)
    expect(relativeError(inF64.outputs[gradientName(name)], differences), `${name}, f64`).toBeLessThan(1e-6)
    expect(relativeError(inF32.outputs[gradientName(name)], differences), `${name}, f32`).toBeLessThan(1e-3)
  }
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)
}
