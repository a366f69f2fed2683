import { InvalidArgumentError } from '../errors.js'
import type { Step } from './backend.js'
import { THRESHOLDS } from './policy.js'

/** A step with its defaults filled in. */
export interface CheckedStep extends Step {
  readonly rows: Uint32Array
  readonly outputs: readonly string[]
}

const FIRST_ROW = Uint32Array.of(0)
const LOGITS = ['logits']

/**
 * Checks what a caller gave for one step, so that backends need not.
 * @param vocabulary rows of the embedding table
 * @param selects select operators of the program
 */
export function checkStep(step: Step, vocabulary: number, selects: number): CheckedStep {
  const { tokens, position, cache, targets, inputs, policy, signal, reuse } = step
  const count = tokens.length
  if (count === 0) throw new InvalidArgumentError('tokens', 'at least one token', 'none')
  if (!Number.isInteger(position) || position < 0)
    throw new InvalidArgumentError('position', 'an integer of at least 0', position)
  if (position + count > cache.capacity) {
    throw new InvalidArgumentError(
      'tokens',
      `at most ${cache.capacity - position} (cache of ${cache.capacity} positions, ${position} used)`,
      count,
    )
  }
  checkBelow('tokens', 'ids', tokens, vocabulary)
  const rows = step.rows ?? (count === 1 ? FIRST_ROW : Uint32Array.of(count - 1))
  checkBelow('rows', 'indices', rows, count)
  if (targets !== undefined && targets.length !== rows.length) {
    throw new InvalidArgumentError('targets', `${rows.length}, one for each of rows`, targets.length)
  }
  if (policy !== undefined && (policy.estimators.length !== selects || policy.thresholds.length !== selects * THRESHOLDS)) {
    throw new InvalidArgumentError('policy', `estimators and thresholds of ${selects} select operators`, policy.estimators.length)
  }
  signal?.throwIfAborted()
  return { tokens, position, cache, rows, targets, inputs, outputs: step.outputs ?? LOGITS, policy, signal, reuse }
}

// By index here, and no spread above: in every step an iterator would be garbage.
function checkBelow(argument: string, what: string, values: Uint32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= limit) throw new InvalidArgumentError(argument, `${what} below ${limit}`, values[i])
  }
}
