import highsModule from 'highs'
import type { KnapsackGroup, KnapsackLimits } from '../allocation/knapsack.js'

// The types describe a CommonJS module, but what Node imports is an ES module.
const loadHighs = highsModule as unknown as typeof highsModule.default

/** Solves multiple-choice knapsacks as integer linear programs with HiGHS (WebAssembly): the least cost, or undefined. */
export async function createIlpSolver(): Promise<
  (groups: readonly KnapsackGroup[], limits: KnapsackLimits) => number | undefined
> {
  const highs = await loadHighs()
  return (groups, { capacity, least = 0 }) => {
    const terms = (of: (group: KnapsackGroup, j: number) => number) =>
      groups.flatMap((group, i) => group.costs.map((_, j) => term(of(group, j), `x${i}_${j}`))).join('\n ')
    const oneEach = groups.map(({ costs }, i) => ` one${i}: ${costs.map((_, j) => `x${i}_${j}`).join(' + ')} = 1`)
    const weight = terms(({ weights }, j) => weights[j])
    const names = groups.flatMap(({ costs }, i) => costs.map((_, j) => `x${i}_${j}`))
    const problem = [
      'Minimize',
      ` cost: ${terms(({ costs }, j) => costs[j])}`,
      'Subject To',
      ...oneEach,
      ` most: ${weight} <= ${capacity}`,
      ` least: ${weight} >= ${least}`,
      'Binary',
      ` ${names.join('\n ')}`,
      'End',
    ].join('\n')
    const { Status, ObjectiveValue } = highs.solve(problem, { output_flag: false, mip_rel_gap: 0, mip_abs_gap: 0, threads: 1 })
    if (Status === 'Infeasible') return undefined
    if (Status !== 'Optimal') throw new Error(`HiGHS: ${Status}`)
    return ObjectiveValue
  }
}

/** In digits that lose nothing: the file format knows no other way to give a number. */
function term(factor: number, name: string): string {
  return `${factor < 0 ? '-' : '+'} ${Math.abs(factor).toExponential(17)} ${name}`
}
