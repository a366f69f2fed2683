import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SampleResult } from './answer.js'
import { type RunTaskOptions, runTask } from './run-task.js'
import type { TaskSample } from './task.js'
import { toyModel } from './testing/toy-model.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-tasks-'))
})
afterAll(() => rm(folder, { recursive: true }))

const task = { name: 'toy', metrics: [{ name: 'acc', aggregate: 'mean' }] } as const
const samples: TaskSample[] = Array.from({ length: 6 }, (_, i) => {
  const common = { id: `${i}`, group: i % 2 === 0 ? 'even' : 'odd', target: 'dc' }
  if (i === 4) {
    const pairs = [' no', ' yes'].map((continuation) => ({ context: 'is it', continuation }))
    return { ...common, kind: 'likelihood', pairs, grade: () => ({ answer: 'yes', scores: { acc: 1 } }) }
  }
  const grade = (response: string) => ({ answer: response, scores: { acc: Number(response === 'dc') } })
  return { ...common, kind: 'generation', prompt: i === 3 ? 'abcx' : 'abcd', stop: ['\n'], maxTokens: 2, grade }
})

test('scores with standard errors, of the whole and of its parts', async () => {
  const seen: SampleResult[] = []
  const summary = await runTask(toyModel().model, task, samples, { onResult: (result) => seen.push(result) })
  // Five of six: √(5/6 · 1/6 / 5).
  const wanted = { metric: 'acc', value: 5 / 6, standardError: expect.closeTo(Math.sqrt((5 / 36) * 0.2), 12) }
  expect(summary).toMatchObject({ samples: 6, scores: [wanted], tokens: 10 + 7, truncated: 0 })
  expect(summary.groups.even).toEqual({ samples: 3, scores: [{ metric: 'acc', value: 1, standardError: 0 }] })
  expect(summary.groups.odd.scores[0].value).toBeCloseTo(2 / 3)
  expect(seen[0]).toEqual({
    ...{ id: '0', group: 'even', prompt: 'abcd', response: 'dc', finishReason: 'length', target: 'dc', answer: 'dc' },
    ...{ scores: { acc: 1 }, promptTokens: 5, tokens: 2, effectiveBits: 4, truncated: false },
  })
  expect(seen[4]).toMatchObject({ prompt: 'is it', choices: [{ continuation: ' no' }, { continuation: ' yes' }] })
})

test('a prompt that is too long keeps its beginning token and its end', async () => {
  const { model, prompts } = toyModel({ contextLength: 6 })
  const result = await runTask(model, task, [{ ...samples[0], prompt: '0123456789abcd' } as TaskSample])
  expect(result.truncated).toBe(1)
  expect([...prompts[0]]).toEqual([1, ...Array.from('bcd', (c) => c.charCodeAt(0))].slice(0, 4))
})

/** Aborts a run while it asks its `stop`th question. */
async function interrupted(output: string, stop: number, options: RunTaskOptions = {}) {
  const controller = new AbortController()
  const { model, prompts } = toyModel()
  let asked = 0
  const counting = {
    ...model,
    generate: (...args: Parameters<typeof model.generate>) => {
      if (++asked === stop) controller.abort()
      return model.generate(...args)
    },
  }
  const result = await runTask(counting, task, samples, { ...options, output, signal: controller.signal }).catch(
    (e: unknown) => e,
  )
  return { result, prompts }
}

test('a run that is ended anywhere and taken up again makes the same bytes', async () => {
  const whole = path.join(folder, 'whole.jsonl')
  const summary = await runTask(toyModel().model, task, samples, { output: whole })
  const wanted = await readFile(whole, 'utf8')
  expect(wanted.split('\n')).toHaveLength(8)
  for (const stop of [1, 2, 3, 4, 5]) {
    const output = path.join(folder, `stopped-${stop}.jsonl`)
    const { result } = await interrupted(output, stop)
    expect(result).toMatchObject({ name: 'AbortError' })
    const before = await readFile(output, 'utf8')
    expect(wanted.startsWith(before)).toBe(true)
    expect(await runTask(toyModel().model, task, samples, { output })).toEqual(summary)
    expect(await readFile(output, 'utf8')).toBe(wanted)
  }
})

test('wherever the file is cut off, the run goes on and asks no question twice', async () => {
  const whole = path.join(folder, 'cut.jsonl')
  await runTask(toyModel().model, task, samples, { output: whole })
  const wanted = await readFile(whole)
  for (let length = 0; length < wanted.length; length += 37) {
    await writeFile(whole, wanted)
    await truncate(whole, length)
    const lines = wanted.subarray(0, length).toString().split('\n').length - 1
    const { model, prompts, steps } = toyModel()
    await runTask(model, task, samples, { output: whole })
    expect(await readFile(whole)).toEqual(wanted)
    expect(prompts.length + Number(steps.length > 0)).toBe(6 - Math.max(lines - 1, 0))
  }
})

test('a limited run is the beginning of a longer one', async () => {
  const [a, b] = ['a', 'b'].map((name) => path.join(folder, `limit-${name}.jsonl`))
  expect(await runTask(toyModel().model, task, samples, { output: a, limit: 2 })).toMatchObject({ samples: 2 })
  await runTask(toyModel().model, task, samples, { output: a, limit: 5 })
  await runTask(toyModel().model, task, samples, { output: b, limit: 5 })
  expect(await readFile(a, 'utf8')).toBe(await readFile(b, 'utf8'))
  expect(await runTask(toyModel().model, task, samples, { output: a, limit: 3 })).toMatchObject({ samples: 3 })
})

test("another run's file is refused and stays as it is", async () => {
  const output = path.join(folder, 'other.jsonl')
  await runTask(toyModel().model, task, samples, { output, limit: 1, identity: { model: 'a' } })
  const before = await readFile(output, 'utf8')
  const attempt = (options: RunTaskOptions, asked = samples, name = 'toy') =>
    runTask(toyModel().model, { ...task, name }, asked, { output, identity: { model: 'a' }, ...options })
  await expect(attempt({ identity: { model: 'b' } })).rejects.toThrow(/another: model is \\?"a\\?", not \\?"b/)
  await expect(attempt({ targetBits: 4 })).rejects.toThrow(/targetBits is null, not 4/)
  await expect(attempt({}, samples.slice(1))).rejects.toThrow(/samples is/)
  await expect(attempt({}, samples, 'other')).rejects.toThrow(/task is/)
  const text = path.join(folder, 'text.txt')
  await writeFile(text, 'my notes\n')
  await expect(attempt({ output: text })).rejects.toThrow(/JSON/)
  await writeFile(text, 'my notes')
  await expect(attempt({ output: text })).rejects.toThrow(/not written over/)
  expect(await readFile(text, 'utf8')).toBe('my notes')
  await writeFile(output, before.replace('"scores"', '"score"'))
  await expect(attempt({})).rejects.toThrow(/line 2/)
  await writeFile(output, before)
  await attempt({ limit: 2 })
  expect((await readFile(output, 'utf8')).startsWith(before)).toBe(true)
})

test('a file that another process writes to is left alone', async () => {
  const output = path.join(folder, 'shared.jsonl')
  const onResult = async (_: SampleResult, index: number) => {
    if (index === 1) await writeFile(output, 'more\n', { flag: 'a' })
  }
  const { model } = toyModel()
  const pausing = samples.map((sample) =>
    sample.kind === 'generation'
      ? {
          ...sample,
          grade: (response: string) => new Promise<void>((go) => setTimeout(go, 20)).then(() => sample.grade(response)),
        }
      : sample,
  )
  await expect(runTask(model, task, pausing, { output, onResult: (...args) => void onResult(...args) })).rejects.toThrow(
    /another process/,
  )
})

test('progress, and nothing to ask', async () => {
  const done: number[] = []
  await runTask(toyModel().model, task, samples, { onProgress: (p) => done.push(p.done) })
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  await expect(runTask(toyModel().model, task, [])).rejects.toThrow(/at least one/)
})
