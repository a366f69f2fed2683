/**
 * Where the time of a backend's steps went. Its owner makes it, gives it to the backend, and reads it between steps; the
 * backend adds to it after each one.
 */
export interface StepProfile {
  /** Steps that ended well. */
  steps: number
  /** Milliseconds from the backend's being asked for the steps to its answers. */
  total: number
  /** Milliseconds in operators, by their kind; what is left of `total` is handing steps over. */
  operators: Record<string, number>
}

/** Of no steps. */
export function emptyProfile(): StepProfile {
  return { steps: 0, total: 0, operators: {} }
}

/** What was added since `before`, a copy, was taken. */
export function profileSince(profile: StepProfile, before: StepProfile): StepProfile {
  const kinds = Object.entries(profile.operators).map(([kind, ms]) => [kind, ms - (before.operators[kind] ?? 0)] as const)
  return {
    steps: profile.steps - before.steps,
    total: profile.total - before.total,
    operators: Object.fromEntries(kinds.filter(([, ms]) => ms > 0)),
  }
}
