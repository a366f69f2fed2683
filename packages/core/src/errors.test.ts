import { expect, test } from 'vitest'
import { BackendUnavailableError, DpllmError, FileFormatError, InvalidArgumentError, UnsupportedError } from './errors.js'

test.each([
  [
    new InvalidArgumentError('bits', 'a bit count', 9),
    'InvalidArgumentError',
    'ERR_DPLLM_ARGUMENT',
    'bits: expected a bit count, found 9',
  ],
  [new FileFormatError('a.json', 'is empty'), 'FileFormatError', 'ERR_DPLLM_FILE', 'a.json: is empty'],
  [new FileFormatError('a', 'is cut', { item: 'w' }), 'FileFormatError', 'ERR_DPLLM_FILE', 'a: w: is cut'],
  [new UnsupportedError('no such model'), 'UnsupportedError', 'ERR_DPLLM_UNSUPPORTED', 'no such model'],
  [
    new BackendUnavailableError('cuda', 'no GPU'),
    'BackendUnavailableError',
    'ERR_DPLLM_BACKEND',
    'backend cuda cannot be used: no GPU',
  ],
])('%s', (error, name, code, message) => {
  expect(error).toMatchObject({ name, code, message })
  expect(error).toBeInstanceOf(DpllmError)
  expect(error).toBeInstanceOf(Error)
  expect(DpllmError.isInstance(error)).toBe(true)
})

test('fields say where', () => {
  expect(new FileFormatError('a', 'is cut', { item: 'w' })).toMatchObject({ file: 'a', item: 'w' })
  expect(new FileFormatError('a', 'is cut').item).toBeUndefined()
  expect(new InvalidArgumentError('bits', 'a bit count', 9).argument).toBe('bits')
  expect(new BackendUnavailableError('cuda', 'no GPU').backend).toBe('cuda')
  const cause = new Error('why')
  expect(new FileFormatError('a', 'is cut', { cause }).cause).toBe(cause)
})

test('other errors are not ours; those of another copy of this package are', () => {
  for (const other of [new Error('x'), undefined, null, 'text', {}]) expect(DpllmError.isInstance(other)).toBe(false)
  expect(DpllmError.isInstance(Object.assign(new Error('x'), { [Symbol.for('dpllm.error')]: true }))).toBe(true)
})

test.each<[found: unknown, text: string]>([
  ['text', '"text"'],
  ['x'.repeat(300), `"${'x'.repeat(197)}..."`],
  [undefined, 'undefined'],
  [null, 'null'],
  [Number.NaN, 'NaN'],
  [[1, 2], 'Array'],
  [new Float32Array(2), 'Float32Array'],
  [{}, 'Object'],
])('what was found is described in short: %s', (found, text) => {
  expect(new InvalidArgumentError('a', 'b', found).message).toBe(`a: expected b, found ${text}`)
})

test('what a hostile file is quoted with stays one short printable line', () => {
  const item = `a\u001b[2J\n\t\u009b${'x'.repeat(1e6)}`
  const error = new FileFormatError('f', 'is cut', { item })
  expect(error.item).toBe(item)
  expect(error.message).toMatch(/^f: a\\x1b\[2J\\x0a\\x09\\x9bx+\.\.\.: is cut$/)
  expect(error.message.length).toBeLessThan(300)
  expect(new UnsupportedError('lists\n\tmay have lines, not \u0007 bells').message).toBe(
    'lists\n\tmay have lines, not \\x07 bells',
  )
})
