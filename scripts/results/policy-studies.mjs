/** Targets at each memory budget: those of DP-LLM's tables 1, 10 and 11. */
const targets = {
  4: [3.25, 3.5, 3.75],
  5: [3.25, 3.5, 3.75, 4, 4.25, 4.5, 4.75],
  6: [3.5, 4, 4.5, 5, 5.5],
}

/** Every way to decide bits: what `dpllm calibrate` is told, and what the tables call it. */
export const methods = {
  'llm-mq': { label: 'LLM-MQ', flags: ['--method', 'llm-mq'] },
  'hawq-v2': { label: 'HAWQ-V2', flags: ['--method', 'hawq-v2'] },
  lsaq: { label: 'LSAQ', flags: ['--method', 'lsaq'] },
  static: { label: 'static knapsack', flags: ['--method', 'static'] },
  'dp-llm-exact': { label: 'DP-LLM, exact errors', flags: ['--method', 'dp-llm', '--estimator', 'exact'] },
  'dp-llm-synchronous': { label: 'DP-LLM, estimated, synchronous', flags: ['--method', 'dp-llm', '--synchronous'] },
  'dp-llm': { label: 'DP-LLM, estimated, asynchronous', flags: ['--method', 'dp-llm'] },
  'dp-llm-sketch': { label: 'DP-LLM, sketches, asynchronous', flags: ['--method', 'dp-llm', '--estimator', 'sketch'] },
  'dp-llm-probe': { label: 'DP-LLM, thresholds on the probe', flags: ['--method', 'dp-llm', '--estimator', 'probe'] },
  budget: { label: 'budget', flags: ['--method', 'budget'] },
}

/** Variants of `quantizerStudies`: Any-Precision's algorithm, whose tables DP-LLM was published with, and ours. */
const tables = { reference: "Any-Precision's tables", exact: 'plain tables', tuned: 'tuned tables' }

/** What is run at 4 and 6 bits: the published ones and ours. */
const main = ['llm-mq', 'hawq-v2', 'lsaq', 'static', 'dp-llm', 'budget']

/** On Any-Precision's tables DP-LLM alone is run, at the first memory budget. */
export const methodsOn = (table, ids, budget) => (table !== 'reference' ? ids : budget === 0 ? ['dp-llm'] : [])

/**
 * What docs/results/policies.md is about: models (of `quantizerStudies`), memory budgets with their targets and methods.
 * @param {string} data folder of models and texts
 */
export const policyStudies = (data) => ({
  stories15M: {
    tables,
    calibration: ['--calib', `${data}/tinystories/train-2MiB.txt`, '--samples', '256', '--seq-len', '256'],
    training: ['--steps', '400'],
    budgets: [
      { budget: 5, targets: targets[5], methods: Object.keys(methods) },
      { budget: 4, targets: targets[4], methods: main },
      { budget: 6, targets: targets[6], methods: main },
    ],
    requests: { prompts: `${data}/tinystories/valid-a.txt`, targets: [3.25, 3.5, 4, 4.5], methods: ['dp-llm', 'budget'] },
    note: '240 windows of 256 tokens of the TinyStories training text and 16 for meeting the targets; average bits of DP-LLM: 400 steps of a window for the middle target, 200 more for each neighbour.',
  },
  tinyllama: {
    tables,
    calibration: ['--calib', `${data}/c4/calib.txt`, '--samples', '96', '--seq-len', '256'],
    training: ['--steps', '60'],
    budgets: [{ budget: 5, targets: [3.25, 3.5, 4, 4.5], methods: main }],
    requests: { prompts: `${data}/c4/eval-a.jsonl`, targets: [3.5], methods: ['budget'] },
    note: '80 windows of 256 tokens of C4 and 16 for meeting the targets; average bits of DP-LLM: 60 steps of a window for the middle target, 30 more for each neighbour.',
  },
})
