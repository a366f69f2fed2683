import type { Activation } from '../program/operators.js'

type Scalar = (x: number) => number

export const activations: Record<Activation, Scalar> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => x * normalCdf(x),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(tanhArgument(x))),
}

/** Their derivatives. */
export const activationDerivatives: Record<Activation, Scalar> = {
  silu: (x) => logistic(x) * (1 + x * (1 - logistic(x))),
  gelu: (x) => normalCdf(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  geluTanh: (x) => {
    const tanh = Math.tanh(tanhArgument(x))
    return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x)
  },
}

const logistic: Scalar = (x) => 1 / (1 + Math.exp(-x))
const normalCdf: Scalar = (x) => 0.5 * (1 + erf(x / Math.SQRT2))
const tanhArgument: Scalar = (x) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)

/** Error function by its Maclaurin series (|x| < 3) or continued fraction; relative error below 1e-12. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 3) {
    let term = a
    let sum = a
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)))
}
