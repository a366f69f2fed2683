import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs'

/** Data types of tensors and attributes, as in onnx.proto. */
const [FLOAT, UINT8] = [1, 2]
const ATTRIBUTE_INT = 2

/**
 * Writes an ONNX model of int4 matrices of random weights, unless it is there: nothing but com.microsoft's MatMulNBits nodes, with
 * one f32 scale for `block` weights, and 8-bit products (accuracy level 4), onnxruntime's fastest.
 * @param {string} file
 * @param {{ name: string, rows: number, cols: number, input: string }[]} linears each has the output `NAME`; `input` is `x` or
 *   the name of another one
 * @param {number} width of `x`, f32 [1, width]
 */
export function writeMatMulModel(file, linears, width, block = 128) {
  if (existsSync(file)) return file
  const tensors = linears.flatMap(({ name, rows, cols }) => [
    { name: `${name}.weight`, type: UINT8, dims: [rows, cols / block, block / 2], bytes: (rows * cols) / 2 },
    { name: `${name}.scales`, type: FLOAT, dims: [(rows * cols) / block], bytes: ((rows * cols) / block) * 4 },
  ])
  const read = new Set(linears.map(({ input }) => input))
  // Field numbers are those of onnx.proto's messages: GraphProto.
  const nodes = linears.map((linear) => message(1, nodeOf(linear, block)))
  const graphHead = Buffer.concat([...nodes, text(2, 'linears')])
  const graphTail = Buffer.concat([
    message(11, valueInfo('x', [1, width])),
    ...linears.filter(({ name }) => !read.has(name)).map(({ name, rows }) => message(12, valueInfo(name, [1, rows]))),
  ])
  const heads = tensors.map(tensorHead)
  const graphBytes = heads.reduce((sum, head, i) => sum + head.length + tensors[i].bytes, graphHead.length + graphTail.length)
  const opset = (domain, version) => message(8, Buffer.concat([text(1, domain), number(2, version)]))
  const model = Buffer.concat([number(1, 10), opset('', 21), opset('com.microsoft', 1), key(7, 2), varint(graphBytes)])

  const fd = openSync(`${file}.tmp`, 'w')
  const [codes, scales] = [randomCodes(), smallScales()]
  try {
    for (const part of [model, graphHead]) writeSync(fd, part)
    tensors.forEach(({ type, bytes }, i) => {
      writeSync(fd, heads[i])
      const source = type === UINT8 ? codes : scales
      for (let left = bytes; left > 0; left -= source.length) writeSync(fd, source, 0, Math.min(left, source.length))
    })
    writeSync(fd, graphTail)
  } finally {
    closeSync(fd)
  }
  renameSync(`${file}.tmp`, file)
  return file
}

/** NodeProto */
function nodeOf({ name, rows, cols, input }, block) {
  const attributes = Object.entries({ K: cols, N: rows, bits: 4, block_size: block, accuracy_level: 4 })
  return Buffer.concat([
    ...[input, `${name}.weight`, `${name}.scales`].map((read) => text(1, read)),
    text(2, name),
    text(3, name),
    text(4, 'MatMulNBits'),
    ...attributes.map(([key, value]) => message(5, Buffer.concat([text(1, key), number(3, value), number(20, ATTRIBUTE_INT)]))),
    text(7, 'com.microsoft'),
  ])
}

/** ValueInfoProto of f32 values */
function valueInfo(name, dims) {
  const shape = Buffer.concat(dims.map((size) => message(1, number(1, size))))
  const type = message(1, Buffer.concat([number(1, FLOAT), message(2, shape)]))
  return Buffer.concat([text(1, name), message(2, type)])
}

/** TensorProto as an initializer of the graph, up to its bytes. */
function tensorHead({ name, type, dims, bytes }) {
  const head = Buffer.concat([...dims.map((size) => number(1, size)), number(2, type), text(8, name), key(9, 2), varint(bytes)])
  return Buffer.concat([key(5, 2), varint(head.length + bytes), head])
}

function randomCodes() {
  const words = new Uint32Array(2 ** 20)
  for (let i = 0, state = 1; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return Buffer.from(words.buffer)
}

function smallScales() {
  return Buffer.from(new Float32Array(2 ** 18).fill(0.002).buffer)
}

// Protocol buffers: a field's key is its number and wire type, 0 for a varint, 2 for bytes.
function varint(value) {
  const bytes = []
  let rest = BigInt(value)
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 128 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}
const key = (field, wireType) => varint((field << 3) | wireType)
const number = (field, value) => Buffer.concat([key(field, 0), varint(value)])
const message = (field, bytes) => Buffer.concat([key(field, 2), varint(bytes.length), bytes])
const text = (field, value) => message(field, Buffer.from(value))
