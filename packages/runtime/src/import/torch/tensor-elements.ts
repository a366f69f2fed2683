import { type TorchTensor, torchElementBytes } from './pickle/torch-tensor.js'

/** Whether the elements lie in row-major order without gaps. */
export function isContiguous({ shape, strides, elements }: TorchTensor): boolean {
  if (elements === 0) return true
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]
  }
  return true
}

/**
 * The part of the storage, in elements, that holds elements `first` … `first + count − 1` of a tensor: just these for a
 * contiguous one, else all between the first and the last of the rows that they are in.
 */
export function storageRange(tensor: TorchTensor, first: number, count: number): { begin: number; end: number } {
  const { shape, strides, offset, elements } = tensor
  if (count === 0) return { begin: offset, end: offset }
  if (isContiguous(tensor)) return { begin: offset + first, end: offset + first + count }
  const rowElements = elements / shape[0]
  const firstRow = Math.floor(first / rowElements)
  const lastRow = Math.floor((first + count - 1) / rowElements)
  const rowSpan = shape.reduce((span, size, i) => (i === 0 ? span : span + (size - 1) * strides[i]), 1)
  return { begin: offset + firstRow * strides[0], end: offset + lastRow * strides[0] + rowSpan }
}

/**
 * Brings elements into row-major order.
 * @param stored the bytes of `storageRange`
 * @param begin its beginning
 * @returns elements `first` … `first + count − 1`; `stored` itself for a contiguous tensor
 */
export function gatherElements(
  tensor: TorchTensor,
  first: number,
  count: number,
  stored: ArrayBuffer,
  begin: number,
): ArrayBuffer {
  if (count === 0 || isContiguous(tensor)) return stored
  const bytes = torchElementBytes[tensor.dtype]
  // Whatever the elements are, words of their size move them unchanged.
  const words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[
    bytes as 1 | 2 | 4 | 8
  ] as Uint8ArrayConstructor
  const out = new ArrayBuffer(count * bytes)
  const [from, to] = [new words(stored), new words(out)]
  const { shape, strides, offset } = tensor
  const index = unravel(first, shape)
  let at = index.reduce((sum, n, i) => sum + n * strides[i], offset - begin)
  for (let i = 0; i < count; i++) {
    to[i] = from[at]
    // To the next index: the last dimension first, carrying.
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]
      if (++index[d] < shape[d]) break
      at -= shape[d] * strides[d]
      index[d] = 0
    }
  }
  return out
}

/** The index of element `n` in row-major order. */
function unravel(n: number, shape: readonly number[]): number[] {
  const index: number[] = []
  for (let d = shape.length - 1, rest = n; d >= 0; d--) {
    index[d] = rest % shape[d]
    rest = Math.floor(rest / shape[d])
  }
  return index
}
