import type { Program, StepProfile } from '@dpllm/core'

/** Carries the times of one program's operators, which native code measures, to its owner. */
export interface ProgramTimer {
  /** By operator, in milliseconds: what native code adds to. */
  readonly times: Float64Array
  /** Hands the times over after a step of `milliseconds`. */
  stepDone(milliseconds: number): void
}

export function programTimer(program: Program, sums: StepProfile): ProgramTimer {
  const times = new Float64Array(program.operators.length)
  return {
    times,
    stepDone(milliseconds) {
      sums.steps++
      sums.total += milliseconds
      for (const [i, { kind }] of program.operators.entries()) {
        if (times[i] > 0) sums.operators[kind] = (sums.operators[kind] ?? 0) + times[i]
      }
      times.fill(0)
    },
  }
}
