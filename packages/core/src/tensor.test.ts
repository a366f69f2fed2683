import { expect, test } from 'vitest'
import { bytesPerElement, type DType, elementCount, typedArray } from './tensor.js'

test('element counts', () => {
  expect(elementCount([])).toBe(1)
  expect(elementCount([7])).toBe(7)
  expect(elementCount([2, 3, 5])).toBe(30)
  expect(elementCount([4, 0, 9])).toBe(0)
})

const kinds = { f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, u8: Uint8Array, i32: Int32Array, u32: Uint32Array }

test.each(Object.keys(kinds) as DType[])('a typed array of %s', (dtype) => {
  const buffer = Uint8Array.from({ length: 32 }, (_, i) => i).buffer
  const size = bytesPerElement[dtype]
  const aligned = typedArray(dtype, buffer, 8, 3)
  expect(aligned).toBeInstanceOf(kinds[dtype])
  expect(aligned.BYTES_PER_ELEMENT).toBe(size)
  expect(aligned.buffer).toBe(buffer)
  expect([...new Uint8Array(aligned.buffer, aligned.byteOffset, aligned.byteLength)]).toEqual(
    Array.from({ length: 3 * size }, (_, i) => 8 + i),
  )
})

test('an offset that is not aligned is copied, just the elements', () => {
  const buffer = Uint8Array.from({ length: 32 }, (_, i) => i).buffer
  const copy = typedArray('u32', buffer, 5, 2)
  expect(copy.buffer).not.toBe(buffer)
  expect(copy.buffer.byteLength).toBe(8)
  expect([...copy]).toEqual([0x08070605, 0x0c0b0a09])
  expect(typedArray('u8', buffer, 5, 2).buffer).toBe(buffer)
})

test('elements beyond the buffer are refused', () => {
  expect(() => typedArray('u32', new ArrayBuffer(8), 4, 2)).toThrow(RangeError)
  expect(() => typedArray('u32', new ArrayBuffer(8), 1, 2)).toThrow(RangeError)
})
