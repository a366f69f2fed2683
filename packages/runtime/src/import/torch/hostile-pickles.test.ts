import { DpllmError, FileFormatError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dict,
  global,
  int,
  numpy,
  opcodes,
  orderedDict,
  type PythonValue,
  storage,
  tensor,
  tuple,
} from '../../../test/torch-save/python-values.js'
import { useFiles } from '../../../test/torch-save/temporary-file.js'
import { dataPkl, torchSave } from '../../../test/torch-save/torch-save.js'
import { ofKind } from './pickle/pickle-values.js'
import { readPickle } from './pickle/read-pickle.js'
import { openTorchFile } from './torch-file.js'

const write = useFiles()

async function refused(bytes: Uint8Array): Promise<string> {
  const error = await openTorchFile(await write(bytes, 'hostile.pt')).then(
    () => expect.fail('it was read'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FileFormatError)
  return (error as Error).message
}

/** A pickle of protocol 2 from opcodes and text. */
const pickle = (...parts: (number | string)[]) => torchSave(opcodes(...parts))
const utf8 = (text: string) => `X${String.fromCharCode(text.length)}\0\0\0${text}`

test.each<[how: string, bytes: Uint8Array, named: RegExp]>([
  ['GLOBAL os.system and REDUCE', pickle('cos\nsystem\n', utf8('id'), 0x85, 'R'), /asks for os\.system/],
  ['GLOBAL posix.system', pickle('cposix\nsystem\n', utf8('id'), 0x85, 'R'), /asks for posix\.system/],
  ['GLOBAL builtins.eval', pickle('cbuiltins\neval\n', utf8('1'), 0x85, 'R'), /asks for builtins\.eval/],
  ['GLOBAL __builtin__.eval', pickle('c__builtin__\neval\n', utf8('1'), 0x85, 'R'), /asks for __builtin__\.eval/],
  ['STACK_GLOBAL', pickle(0x8c, 8, 'builtins', 0x8c, 4, 'exec', 0x93), /asks for builtins\.exec/],
  [
    'STACK_GLOBAL of an attribute',
    pickle(0x8c, 11, 'collections', 0x8c, 20, 'OrderedDict.__init__', 0x93),
    /OrderedDict\.__init__/,
  ],
  ['STACK_GLOBAL of numbers', pickle('K\x01K\x02', 0x93), /by something else than strings/],
  ['INST', pickle('(', utf8('id'), 'ios\nsystem\n'), /INST \(0x69\)/],
  ['OBJ', pickle('(cos\nsystem\n', utf8('id'), 'o'), /os\.system/],
  ['OBJ of a known name', pickle('(ccollections\nOrderedDict\n', 'o'), /OBJ \(0x6f\)/],
  ['NEWOBJ', pickle('ccollections\nOrderedDict\n)', 0x81), /NEWOBJ \(0x81\)/],
  ['NEWOBJ_EX', pickle('ccollections\nOrderedDict\n)}', 0x92), /NEWOBJ_EX \(0x92\)/],
  ['EXT1', pickle(0x82, 1), /EXT1 \(0x82\)/],
  ['PERSID', pickle('P0\n'), /PERSID \(0x50\)/],
  ['torch._utils._rebuild_parameter', pickle('ctorch._utils\n_rebuild_parameter\n'), /_rebuild_parameter/],
  ['torch.nn.Linear', pickle('ctorch.nn.modules.linear\nLinear\n'), /torch\.nn\.modules\.linear\.Linear/],
  ['numpy.core.multiarray.fromstring', pickle('cnumpy.core.multiarray\nfromstring\n'), /fromstring/],
  ['getattr', pickle('cbuiltins\ngetattr\n'), /builtins\.getattr/],
  ['a set', pickle(0x8f), /EMPTY_SET/],
  ['an opcode that does not exist', pickle(0xff), /opcode 0xff/],
  ['a name with a prototype in it', pickle('c__proto__\nconstructor\n'), /__proto__\.constructor/],
  ['Object.prototype', pickle('ctoString\n\n'), /asks for toString/],
])('a pickle that wants to execute or make objects by %s is refused by name', async (_, bytes, named) => {
  expect(await refused(bytes)).toMatch(named)
})

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['calls a string', pickle(utf8('x'), ')R'), /calls a string/],
  ['calls a class of storages', pickle('ctorch\nFloatStorage\n)R'), /calls torch\.FloatStorage/],
  ['calls with a list', pickle('ccollections\nOrderedDict\n]R'), /has list where a tuple belongs/],
  ['keeps a function', pickle('ccollections\nOrderedDict\n'), /keeps collections\.OrderedDict/],
  ['keeps a function in a list', pickle(']ccollections\nOrderedDict\na'), /keeps collections\.OrderedDict/],
  ['keeps a function in tuples of a dict', pickle('}', utf8('x'), 'ccollections\nOrderedDict\n', 0x85, 0x85, 's'), /keeps tuple/],
  ['keeps a dtype', torchSave(opcodes('cnumpy\ndtype\n', utf8('f8'), 0x85, 'R')), /keeps dtype/],
  [
    'has an object of numpy',
    torchSave(opcodes('cnumpy\ndtype\n', utf8('O8'), 0x85, 'R')),
    /dtype of numpy that is not read: "O8"/,
  ],
  [
    'has big-endian numbers of numpy',
    torchSave(opcodes('cnumpy\ndtype\n', utf8('f8'), 0x85, 'R(K\x03', utf8('>'), 'tb')),
    /little-endian/,
  ],
  [
    'has an array of another type',
    torchSave({ call: global('numpy.core.multiarray', '_reconstruct'), args: [global('collections', 'OrderedDict')] }),
    /another type/,
  ],
  ['sets a state of a list', pickle(']}b'), /sets a state of list/],
  ['makes an OrderedDict of arguments', pickle('ccollections\nOrderedDict\n]', 0x85, 'R'), /from arguments/],
  ['pops more than there is', pickle('0'), /POP/],
  ['takes a tuple of nothing', pickle(0x86), /more values than there are/],
  ['takes values from below a mark', pickle('K\x01(', 0x85), /more values than there are/],
  ['closes no mark', pickle('t'), /mark that is not open/],
  ['leaves a mark open', pickle('N('), /more values than there are/],
  ['leaves values', pickle('NN'), /values left over/],
  ['recalls what was not kept', pickle('h\x05'), /recalls value 5/],
  ['sets half an item', pickle('}(K\x01u'), /sets items of dict/],
  ['sets items of a list', pickle(']K\x01K\x01s'), /sets items of list/],
  ['has an unknown protocol', torchSave(opcodes(0x80, 6, 'N')), /protocol 6/],
  ['has a persistent id that is no tuple', pickle('NQ'), /has None where a tuple/],
  ['has a persistent id of another kind', pickle(utf8('module'), 0x85, 'Q'), /persistent id that is no storage: a string/],
  ['has a string that is not UTF-8', pickle('X\x01\0\0\0\xff'), /not UTF-8/],
])('a pickle that %s is refused', async (_, bytes, message) => {
  expect(await refused(bytes)).toMatch(message)
})

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['an integer of 4 GiB', pickle(0x8b, '\xff\xff\xff\xff'), /integer of 4294967295 bytes/],
  ['an integer of 255 bytes', pickle(0x8a, 255), /integer of 255 bytes/],
  ['an integer beyond 2^53', pickle(0x8a, 8, '\xff\xff\xff\xff\xff\xff\xff\x7f'), /beyond 2\^53/],
  ['a string of 4 GiB', pickle('X\xff\xff\xff\xff'), /is cut off: expected 4294967295 bytes/],
  ['a string of 2^63 bytes', pickle(0x8d, '\xff\xff\xff\xff\xff\xff\xff\x7f'), /announces 9223372036854775807 bytes/],
  ['bytes of 4 GiB', pickle('B\xff\xff\xff\xff'), /cut off/],
  ['a name without an end', pickle(`c${'x'.repeat(100_000)}`), /no name of up to 256 characters/],
  ['a frame of 2^63 bytes', pickle(0x95, '\xff\xff\xff\xff\xff\xff\xff\x7f'), /announces/],
])('%s is refused before anything of that size is made', async (_, bytes, message) => {
  expect(await refused(bytes)).toMatch(message)
})

const readBytes = (text: string, maxSteps?: number) =>
  readPickle(Buffer.from(text, 'latin1'), {
    file: 'f',
    item: 'data.pkl',
    storage: () => expect.fail(),
    ...(maxSteps === undefined ? {} : { maxSteps }),
  })

test.each<[what: string, step: string]>([
  ['marks', '('],
  ['lists', ']'],
  ['kept values', 'N\x94'],
  ['lists inside of lists', ']a'],
  ['tuples inside of tuples', '\x85'],
])('the number of %s is limited', (_, step) => {
  expect(() => readBytes(`]]${step.repeat(1000)}`, 1000)).toThrow(/takes more than 1000 steps/)
})

test('by default steps are some millions', () => {
  expect(() => readBytes('('.repeat(5_000_000))).toThrow(/takes more than 4194304 steps/)
})

test('a value that holds another many times is not unfolded', () => {
  // Forty tuples of twice the one before: a tree of 2^40 leaves.
  const doubling = Array.from({ length: 40 }, (_, i) => `h${String.fromCharCode(i)}`.repeat(2).concat('\x86\x94')).join('')
  expect(readBytes(`()\x94${doubling}t.`)).toMatchObject({ kind: 'tuple', data: true })
  // A list in itself.
  expect(readBytes(']\x94h\0a.')).toMatchObject({ kind: 'list' })
})

test('one string does not become any number of byte arrays', () => {
  const text = 'a'.repeat(1000)
  const encoded = `c_codecs\nencode\nq\x00X\xe8\x03\0\0${text}q\x01X\x06\0\0\0latin1q\x02\x86R`
  const again = 'h\0h\x01h\x02\x86R'.repeat(100)
  expect(() => readBytes(`(${encoded}${again}t.`)).toThrow(/makes more bytes than it has/)
})

test.each<[what: string, value: PythonValue, message: RegExp]>([
  ['larger than its storage', tensor(storage('f32', new Float32Array(4)), [5]), /\[5\] does not fit in its storage of 4/],
  ['that begins beyond its storage', tensor(storage('f32', new Float32Array(4)), [], { offset: 4 }), /reaches beyond/],
  ['that reaches beyond its storage', tensor(storage('f32', new Float32Array(4)), [2, 2], { strides: [3, 1] }), /reaches beyond/],
  ['expanded to a terabyte', tensor(storage('f32', new Float32Array(4)), [2 ** 38], { strides: [0] }), /does not fit/],
  [
    'with dimensions whose product overflows',
    tensor(storage('f32', new Float32Array(4)), [2 ** 31, 2 ** 31, 2 ** 31], { strides: [0, 0, 0] }),
    /does not fit/,
  ],
  [
    'with dimensions of 2^53',
    tensor(storage('f32', new Float32Array(4)), [2 ** 53 - 1, 2 ** 53 - 1], { strides: [0, 0] }),
    /does not fit/,
  ],
  ['with a negative size', tensor(storage('f32', new Float32Array(4)), [-1]), /shape \[-1\]/],
  ['with a negative stride', tensor(storage('f32', new Float32Array(4)), [2], { strides: [-1], offset: 2 }), /strides \[-1\]/],
  ['with a negative offset', tensor(storage('f32', new Float32Array(4)), [2], { offset: -1 }), /offset -1/],
  ['without strides', tensor(storage('f32', new Float32Array(4)), [2], { strides: [] }), /strides \[\]/],
  ['of many dimensions', tensor(storage('f32', new Float32Array(4)), new Array(17).fill(1)), /17 dimensions/],
  [
    'of an unknown class',
    tensor({ ...storage('f32', new Float32Array(1)), type: 'ComplexFloatStorage' }, [1]),
    /torch\.ComplexFloatStorage/,
  ],
  [
    'whose storage is too short',
    tensor({ ...storage('f32', new Float32Array(4)), elements: 5 }, [4]),
    /expected 5 elements of f32, found 16 bytes/,
  ],
  [
    'whose storage has 2^53 elements',
    tensor({ ...storage('f32', new Float32Array(4)), elements: 2 ** 53 - 1 }, [4]),
    /expected 9007199254740991 elements/,
  ],
])('a tensor %s is refused', async (_, value, message) => {
  expect(await refused(torchSave(value))).toMatch(message)
})

test('tensors with other arguments than torch writes are refused', async () => {
  const call = (...args: PythonValue[]): PythonValue => ({ call: global('torch._utils', '_rebuild_tensor_v2'), args })
  for (const args of [[], [int(1), int(0), tuple(), tuple()], ['x'], [null, null, null, null]]) {
    expect(await refused(torchSave(call(...args)))).toMatch(/makes a tensor of something else/)
  }
  const shared = { ...storage('f32', new Float32Array(2)) }
  const retyped = { ...shared, type: 'IntStorage' }
  const value = tuple(tensor(shared, [2]), tensor(retyped, [2]))
  // The second tensor names the first one's storage.
  const file = Buffer.from(torchSave(value)).toString('latin1').replace('X\x01\0\0\x001', 'X\x01\0\0\x000')
  expect(await refused(Buffer.from(file, 'latin1'))).toMatch(/is read as f32 and as i32/)
})

test('whatever happens to the bytes, only typed errors come out, and reads stay inside the file', async () => {
  const np = numpy()
  const whole = storage('f16', new Uint16Array(24), 'cuda:0')
  const value = orderedDict(
    [
      ['a', tensor(whole, [4, 6])],
      ['b', tensor(whole, [3, 4], { strides: [1, 6], requiresGrad: true })],
      ['c', tuple(np.f64(0.5), int(-1), np.array('u1', [2], Uint8Array.of(1, 2)))],
      ['d', tensor(storage('i64', BigInt64Array.of(1n)), [])],
    ],
    [['_metadata', dict([['', int(1)]])]],
  )
  const bytes = torchSave(value)
  // Where the pickle is: half of the changes go there.
  const begin = Buffer.from(bytes).indexOf(Buffer.from('\x80\x02c', 'latin1'))
  const length = dataPkl(value).length
  const place = fc.oneof(fc.nat(bytes.length - 1), fc.integer({ min: begin, max: begin + length - 1 }))
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(...Buffer.from('().0NKJMXcqhQRtbsu}]\x85\x86\x87\x88\x8a\x93\x94', 'latin1')),
  )
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: place, byte }),
    fc.record({ kind: fc.constant('cut' as const), at: place, byte }),
    fc.record({ kind: fc.constant('move' as const), at: place, byte }),
  )
  let read = 0
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let changed = Buffer.from(bytes)
      for (const { kind, at, byte: b } of changes) {
        if (at >= changed.length) continue
        if (kind === 'set') changed[at] = b
        if (kind === 'cut') changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + (b % 4))])
        if (kind === 'move') changed.copyWithin(at, at + 1, Math.min(at + 1 + b, changed.length))
      }
      try {
        await using file = await openTorchFile(await write(changed, 'changed.pt'))
        if (!ofKind(file.value, 'dict')) return
        for (const [, v] of file.value.entries) {
          if (!ofKind(v, 'tensor')) continue
          expect(v.elements).toBeLessThanOrEqual(24)
          expect((await file.readElements(v, 0, v.elements)).byteLength).toBeLessThanOrEqual(48)
          read++
        }
      } catch (error) {
        expect(DpllmError.isInstance(error), String(error)).toBe(true)
      }
    }),
    { numRuns: 1000 },
  )
  expect(read).toBeGreaterThan(100)
})
