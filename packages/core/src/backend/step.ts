import { InvalidArgumentError } from '../errors.js'
import type { Step } from './backend.js'
import { THRESHOLDS } from './policy.js'

/** A step with its defaults filled in. */
export interface CheckedStep extends Step {
  readonly rows: Uint32Array
  readonly outputs: readonly string[]
}

/**
 * Checks what a caller gave for one step, so that backends need not.
 * @param vocabulary rows of the embedding table
 * @param selects select operators of the program
 */
export function checkStep(step: Step, vocabulary: number, selects: number): CheckedStep {
  const { tokens, position, cache, policy } = step
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
  for (const token of tokens) if (token >= vocabulary) throw new InvalidArgumentError('tokens', `ids below ${vocabulary}`, token)
  const rows = step.rows ?? Uint32Array.of(count - 1)
  for (const row of rows) if (row >= count) throw new InvalidArgumentError('rows', `indices below ${count}`, row)
  if (step.targets !== undefined && step.targets.length !== rows.length) {
    throw new InvalidArgumentError('targets', `${rows.length}, one for each of rows`, step.targets.length)
  }
  if (policy !== undefined && (policy.estimators.length !== selects || policy.thresholds.length !== selects * THRESHOLDS)) {
    throw new InvalidArgumentError('policy', `estimators and thresholds of ${selects} select operators`, policy.estimators.length)
  }
  step.signal?.throwIfAborted()
  return { ...step, rows, outputs: step.outputs ?? ['logits'] }
}
