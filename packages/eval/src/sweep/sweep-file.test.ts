import { FileFormatError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { parseSweep } from './sweep-file.js'

const methods = ['uniform', 'budget', 'dp-llm']
const sweep = {
  format: 'dpllm-sweep',
  version: 1,
  models: [{ label: 'tiny', path: 'tiny' }],
  methods: ['uniform', { method: 'dp-llm', label: 'as published', estimator: 'hybrid' }],
  budgets: [5],
  targets: [3.5, 4],
  calibration: { text: 'train.txt' },
  perplexity: [{ label: 'wiki', data: 'wiki.txt' }],
}
const parse = (change: object = {}) => parseSweep({ ...sweep, ...change }, 'sweep.json', methods)

test('what is left out has its default', () => {
  expect(parse()).toMatchObject({
    methods: [
      { method: 'uniform', label: 'uniform' },
      { method: 'dp-llm', label: 'as published' },
    ],
    calibration: { seed: 0 },
    tasks: [],
    bits: [],
    latency: [],
    run: {},
  })
})

test.each([
  [{ target: [3] }, /sweep\.json: .*target/],
  [{ version: 2 }, /version/],
  [{ models: [] }, /models/],
  [{ targets: [3, 3] }, /targets: expected each of the targets once/],
  [{ targets: [9] }, /targets\.0/],
  [{ methods: ['magic'] }, /methods\.0: expected one of uniform, budget, dp-llm, found magic/],
  [{ methods: ['budget', 'budget'] }, /methods: expected labels that differ, found budget twice/],
  [{ models: [...sweep.models, ...sweep.models] }, /models: expected labels that differ/],
  [{ tasks: [{ task: 'chess', data: 'x' }] }, /tasks\.0\.task: expected one of gsm8k/],
  [{ calibration: undefined }, /calibration: expected a text/],
  [{ budgets: [] }, /budgets: expected at least one/],
  [{ perplexity: [] }, /expected something to measure/],
  [{ perplexity: [{ label: 'wiki', data: 'x', reference: true }] }, /models\.0\.original: expected a folder/],
])('%j is refused', (change, message) => {
  expect(() => parse(change)).toThrow(FileFormatError)
  expect(() => parse(change)).toThrow(message)
})

test('profiles that are there need neither calibration nor budget', () => {
  const methods = [{ method: 'budget', profile: 'mine' }]
  expect(parse({ methods, calibration: undefined, budgets: undefined })).toMatchObject({
    methods: [{ label: 'budget' }],
    budgets: [],
  })
})
