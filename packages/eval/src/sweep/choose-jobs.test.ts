import { expect, test } from 'vitest'
import { exampleJob } from '../testing/example-job.js'
import { chooseJobs } from './choose-jobs.js'

const jobs = [
  exampleJob('calibration'),
  exampleJob('a', { needs: ['calibration'] }),
  exampleJob('b'),
  exampleJob('latency', { needs: ['calibration'], last: true }),
]
const choose = (finished: string[], failed: string[] = []) => {
  const { ready, waiting, blocked } = chooseJobs(jobs, new Set(finished), new Set(failed))
  return { ready: ready.map(({ key }) => key), waiting, blocked }
}

test('what is needed comes first, what must not be disturbed last', () => {
  expect(choose([])).toEqual({ ready: ['calibration', 'b'], waiting: 2, blocked: [] })
  expect(choose(['b'])).toEqual({ ready: ['calibration'], waiting: 2, blocked: [] })
  expect(choose(['calibration'])).toEqual({ ready: ['a', 'b'], waiting: 1, blocked: [] })
  expect(choose(['calibration', 'a'])).toEqual({ ready: ['b'], waiting: 1, blocked: [] })
  expect(choose(['calibration', 'a', 'b'])).toEqual({ ready: ['latency'], waiting: 0, blocked: [] })
  expect(choose(['calibration', 'a', 'b', 'latency'])).toEqual({ ready: [], waiting: 0, blocked: [] })
})

test('a failure ends what needs it and nothing else', () => {
  expect(choose([], ['calibration'])).toEqual({ ready: ['b'], waiting: 0, blocked: ['a', 'latency'] })
  expect(choose(['calibration'], ['a', 'b'])).toEqual({ ready: ['latency'], waiting: 0, blocked: [] })
})
