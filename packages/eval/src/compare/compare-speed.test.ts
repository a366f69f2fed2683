import { createReferenceBackend } from '@dpllm/core'
import { expect, test } from 'vitest'
import { randomModel } from '../bench/random-model.js'
import { compareSpeed } from './compare-speed.js'
import { type Contender, modelContender } from './contender.js'
import { medianOf, ratioOf } from './rounds.js'
import { chartSpec, speedChart } from './speed-chart.js'

/** Takes as many milliseconds for a token as it is told. */
function sleeper(name: string, milliseconds: number) {
  const seen: { read: Uint32Array[]; decoded: Uint32Array[] } = { read: [], decoded: [] }
  const sleep = (tokens: Uint32Array) => new Promise<void>((done) => setTimeout(done, tokens.length * milliseconds))
  const contender: Contender = {
    name,
    read: (tokens) => sleep(seen.read[seen.read.push(tokens) - 1]),
    decode: (tokens) => sleep(seen.decoded[seen.decoded.push(tokens) - 1]),
    bitsPerWeight: () => milliseconds,
    [Symbol.asyncDispose]: async () => {},
  }
  return { contender, seen }
}

test('all contenders get the same tokens, and are compared with the first', async () => {
  const [slow, fast] = [sleeper('slow', 4), sleeper('fast', 1)]
  const found = await compareSpeed([slow.contender, fast.contender], {
    promptTokens: [3],
    generatedTokens: [2],
    vocabularySize: 10,
    rounds: 3,
    warmup: 0,
    pause: 0,
  })
  expect(found.map(({ test, name, bitsPerWeight }) => [test, name, bitsPerWeight])).toEqual([
    ['pp3', 'slow', 4],
    ['pp3', 'fast', 1],
    ['tg2', 'slow', 4],
    ['tg2', 'fast', 1],
  ])
  expect(slow.seen.read).toHaveLength(3)
  expect(slow.seen).toEqual(fast.seen)
  for (const token of slow.seen.decoded[0]) expect(token).toBeLessThan(10)
  for (const row of found) expect(row.rounds).toHaveLength(3)
  expect(found[0].speed).toEqual({ median: 1, low: 1, high: 1 })
  expect(found[1].speed).toEqual(ratioOf(found[0].rounds, found[1].rounds))
  expect(found[3].tokensPerSecond).toBeCloseTo(2000 / medianOf(found[3].rounds), 9)
  await expect(compareSpeed([])).rejects.toThrow(/contenders: expected at least one/)
})

test('a model takes part at a precision', async () => {
  const options = { layers: 1, vocabularySize: 20, maxBits: 4 }
  await using model = await randomModel('tinyllama-1.1b', createReferenceBackend(), options)
  const steps: number[][] = []
  const watched = {
    ...model,
    run: (step: Parameters<typeof model.run>[0]) => {
      steps.push([step.position, step.tokens.length])
      return model.run(step)
    },
  }
  const contender = modelContender(watched, { name: 'three bits', precision: 3, batchSize: 2 })
  await contender.read(Uint32Array.of(1, 2, 3))
  await contender.decode(Uint32Array.of(4, 5))
  expect(steps).toEqual([
    [0, 2],
    [2, 1],
    [0, 1],
    [1, 1],
  ])
  expect(contender.bitsPerWeight()).toBe(3)
  expect(() => modelContender(model, { name: 'five bits', precision: 5 })).toThrow(/from 3 to 4/)
})

test('speeds are drawn against bits', async () => {
  const points = [3, 4].flatMap((bitsPerWeight) =>
    ['dpllm', 'llama.cpp'].map((name) => ({ name, bitsPerWeight, tokensPerSecond: 100 / bitsPerWeight })),
  )
  expect(chartSpec(points, 'speed')).toMatchObject({ title: 'speed', data: { values: points } })
  const svg = await speedChart(points, 'speed')
  expect(svg).toMatch(/^<svg.*<\/svg>\n$/s)
  for (const text of ['tokens per second', 'bits per weight', 'llama.cpp', 'dpllm']) expect(svg).toContain(text)
})
