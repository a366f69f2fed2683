import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createProgressBar } from './progress.js'

function harness({ isTTY, quiet = false, columns = 80 }: { isTTY: boolean; quiet?: boolean; columns?: number }) {
  const writes: string[] = []
  const output = Object.assign(new PassThrough(), { isTTY, columns })
  output.on('data', (data) => writes.push(String(data)))
  let time = 0
  const bar = createProgressBar(output, { quiet, now: () => time })
  const at = (seconds: number, done: number, total = 1000) => {
    time = seconds * 1000
    bar.update({ stage: 'quantize', done, total, unit: 'weights' })
  }
  return { bar, at, writes }
}

test('a terminal gets one line with rate and remaining time, redrawn at most ten times a second, and none at the end', () => {
  const { bar, at, writes } = harness({ isTTY: true })
  at(0, 0)
  for (let i = 1; i <= 20; i++) at(i * 0.01, i)
  expect(writes.length).toBe(3)
  at(2, 200)
  expect(writes.at(-1)).toBe('\r\x1b[Kquantize  [####................]  20%  200/1.00k weights  100/s  0:08 left')
  bar[Symbol.dispose]()
  expect(writes.at(-1)).toBe('\r\x1b[K')
})

test('a narrow terminal never wraps', () => {
  const { at, writes } = harness({ isTTY: true, columns: 20 })
  at(0, 1)
  expect(writes[0].replace('\r\x1b[K', '')).toHaveLength(19)
})

test('elsewhere there are plain lines, at the end and every five seconds', () => {
  const { bar, at, writes } = harness({ isTTY: false })
  at(0, 0)
  at(1, 100)
  at(6, 600)
  at(7, 700)
  at(10, 1000)
  bar[Symbol.dispose]()
  expect(writes).toEqual(['quantize  60%  600/1.00k weights  100/s  0:04 left\n', 'quantize  100%  1.00k/1.00k weights  100/s\n'])
})

test('elsewhere a short stage gets no line', () => {
  const { at, writes } = harness({ isTTY: false })
  at(0, 0)
  at(0.9, 1000)
  expect(writes).toEqual([])
})

test('the rate of resumed work counts only what is new', () => {
  const { at, writes } = harness({ isTTY: false })
  at(0, 900)
  at(10, 950)
  expect(writes).toEqual(['quantize  95%  950/1.00k weights  5/s  0:10 left\n'])
})

test('quiet says nothing', () => {
  const { bar, at, writes } = harness({ isTTY: true, quiet: true })
  at(0, 0)
  at(9, 1000)
  bar[Symbol.dispose]()
  expect(writes).toEqual([])
})
