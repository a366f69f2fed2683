import type { SweepJob } from '../sweep/sweep-job.js'

/** A job of this key, of nothing in particular. */
export function exampleJob(key: string, more: Partial<SweepJob> = {}): SweepJob {
  return {
    key,
    kind: 'perplexity',
    args: ['eval', 'ppl', 'model', '--json'],
    workArgs: [],
    model: 'tiny',
    tables: null,
    method: 'budget',
    label: 'budget',
    memoryBudget: 5,
    targetBits: 3.5,
    dataset: 'text',
    deterministic: true,
    inputs: { model: 'm', data: 'd' },
    needs: [],
    lock: key,
    last: false,
    ...more,
  }
}
