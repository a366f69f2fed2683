/** An expression over numbers and variables. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'apply'; readonly name: FunctionName; readonly args: readonly Expression[] }

const functions = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
  negate: (a: number) => -a,
  power: (a: number, b: number) => a ** b,
  root: (a: number, n: number) => (a < 0 && n % 2 === 1 ? -((-a) ** (1 / n)) : a ** (1 / n)),
  sqrt: Math.sqrt,
  abs: Math.abs,
  factorial,
  binom: (n: number, k: number) => factorial(n) / (factorial(k) * factorial(n - k)),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  cot: (a: number) => 1 / Math.tan(a),
  sec: (a: number) => 1 / Math.cos(a),
  csc: (a: number) => 1 / Math.sin(a),
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  exp: Math.exp,
  ln: Math.log,
  log: Math.log10,
  logBase: (a: number, base: number) => Math.log(a) / Math.log(base),
} satisfies Record<string, (...args: number[]) => number>

export type FunctionName = keyof typeof functions

/** Those that LaTeX has a command for, with one argument. */
export const namedFunctions: ReadonlySet<string> = new Set<FunctionName>([
  ...(['sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'arcsin', 'arccos', 'arctan'] as const),
  ...(['sinh', 'cosh', 'tanh', 'exp', 'ln', 'log'] as const),
])

/** NaN where it is not defined in the real numbers. */
export function evaluate(expression: Expression, variables: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case 'number':
      return expression.value
    case 'variable':
      return variables.get(expression.name) ?? Number.NaN
    case 'apply': {
      const value = (functions[expression.name] as (...args: number[]) => number)(
        ...expression.args.map((arg) => evaluate(arg, variables)),
      )
      return Number.isFinite(value) ? value : Number.NaN
    }
  }
}

/** Adds the names of an expression's variables. */
export function collectVariables(expression: Expression, names: Set<string>): void {
  if (expression.kind === 'variable') names.add(expression.name)
  if (expression.kind === 'apply') for (const arg of expression.args) collectVariables(arg, names)
}

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 170) return Number.NaN
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return product
}
