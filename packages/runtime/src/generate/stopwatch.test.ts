import { expect, test } from 'vitest'
import { startStopwatch } from './stopwatch.js'

test('counts the prompt, the first token and the decode steps, not the time between parts', () => {
  let time = 1000
  const watch = startStopwatch(() => time)
  time += 200
  watch.promptDone()
  time += 5
  expect(watch.pause(100, 1)).toEqual({
    promptMs: 200,
    promptTokensPerSecond: 500,
    generatedMs: 5,
    tokensPerSecond: 0,
    timeToFirstTokenMs: 205,
  })
  time += 60_000
  watch.resume()
  time += 10
  watch.pause(100, 2)
  time += 60_000
  watch.resume()
  time += 30
  expect(watch.pause(100, 3)).toEqual({
    promptMs: 200,
    promptTokensPerSecond: 500,
    generatedMs: 45,
    tokensPerSecond: 50,
    timeToFirstTokenMs: 205,
  })
})
