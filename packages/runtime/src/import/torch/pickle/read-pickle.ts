import { FileFormatError } from '@dpllm/core'
import { createByteCursor } from './byte-cursor.js'
import { safeNumber } from './numpy-values.js'
import { buildState, callGlobal, findGlobal } from './pickle-globals.js'
import { opcodes as op, opcodeName } from './pickle-opcodes.js'
import { createPickleStack } from './pickle-stack.js'
import { describeValue, isData, makeTuple, ofKind, type PickleValue, type StackTuple, type StackValue } from './pickle-values.js'
import type { TorchStorage } from './torch-tensor.js'

/**
 * Most steps of a pickle, and so most values that it makes, keeps or has on the stack: a tensor takes some forty steps,
 * and the files with most tensors have some ten thousand.
 */
const MAX_STEPS = 2 ** 22

/** Highest protocol that Python knows. */
const MAX_PROTOCOL = 5
/** Most bytes of an integer, more than f64 holds exactly. */
const MAX_INTEGER_BYTES = 8

export interface ReadPickleOptions {
  readonly file: string
  /** The entry of the file, for messages. */
  readonly item: string
  /** Finds the storage that a persistent id names: ('storage', class, key, location, elements). */
  readonly storage: (id: StackTuple) => TorchStorage
  /** Default 4 million. */
  readonly maxSteps?: number
}

/**
 * Reads a pickle without executing anything: a small machine with a stack and a memo, which makes numbers, strings, bytes,
 * tuples, lists, dicts, tensors and numpy's scalars and arrays, and refuses every other opcode and name.
 * @throws FileFormatError naming what is not read
 */
export function readPickle(bytes: Uint8Array, options: ReadPickleOptions): PickleValue {
  const { file, item, storage, maxSteps = MAX_STEPS } = options
  const fail = (message: string) => new FileFormatError(file, message, { item })
  const cursor = createByteCursor(bytes, file, item)
  const stack = createPickleStack(fail)
  const { push, pop } = stack
  let room = bytes.length
  const context = {
    fail,
    made: (count: number) => {
      room -= count
      if (room < 0) throw fail('makes more bytes than it has')
    },
  }

  const data = (value: StackValue): PickleValue => {
    if (!isData(value)) throw fail(`keeps ${describeValue(value)}, which is no value`)
    return value
  }
  const append = (values: readonly StackValue[]) => {
    const list = stack.top()
    if (!ofKind(list, 'list')) throw fail(`appends to ${describeValue(list)}`)
    for (const value of values) (list.items as PickleValue[]).push(data(value))
  }
  const setItems = (values: readonly StackValue[]) => {
    const dict = stack.top()
    if (!ofKind(dict, 'dict') || values.length % 2 !== 0) throw fail(`sets items of ${describeValue(dict)}`)
    const entries = dict.entries as (readonly [PickleValue, PickleValue])[]
    for (let i = 0; i < values.length; i += 2) entries.push([data(values[i]), data(values[i + 1])])
  }
  const popArguments = (): StackTuple => {
    const args = pop()
    if (!ofKind(args, 'tuple')) throw fail(`has ${describeValue(args)} where a tuple belongs`)
    return args
  }
  const text = (length: number): string => {
    const utf8 = cursor.take(length)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(utf8)
    } catch (cause) {
      throw new FileFormatError(file, 'holds a string that is not UTF-8', { item, cause })
    }
  }
  const integer = (length: number): number => {
    if (length > MAX_INTEGER_BYTES) throw fail(`holds an integer of ${length} bytes, at most ${MAX_INTEGER_BYTES} are read`)
    let value = 0n
    for (const [i, byte] of cursor.take(length).entries()) value |= BigInt(byte) << BigInt(8 * i)
    const number = safeNumber(BigInt.asIntN(8 * length, value))
    if (number === undefined) throw fail('holds an integer beyond 2^53')
    return number
  }

  const steps: Readonly<Record<number, () => void>> = {
    [op.proto]: () => {
      const protocol = cursor.u8()
      if (protocol > MAX_PROTOCOL) throw fail(`is of protocol ${protocol}, at most ${MAX_PROTOCOL} is read`)
    },
    // Frames say how much a reader may fetch at once; all is here already.
    [op.frame]: () => cursor.u64(),
    [op.none]: () => push(null),
    [op.true]: () => push(true),
    [op.false]: () => push(false),
    [op.binint]: () => push(cursor.i32()),
    [op.binint1]: () => push(cursor.u8()),
    [op.binint2]: () => push(cursor.u16()),
    [op.long1]: () => push(integer(cursor.u8())),
    [op.long4]: () => push(integer(cursor.u32())),
    [op.binfloat]: () => push(cursor.f64()),
    [op.shortBinunicode]: () => push(text(cursor.u8())),
    [op.binunicode]: () => push(text(cursor.u32())),
    [op.binunicode8]: () => push(text(cursor.u64())),
    [op.shortBinbytes]: () => push(cursor.take(cursor.u8())),
    [op.binbytes]: () => push(cursor.take(cursor.u32())),
    [op.binbytes8]: () => push(cursor.take(cursor.u64())),
    [op.mark]: () => stack.mark(),
    [op.emptyTuple]: () => push(makeTuple([])),
    [op.tuple1]: () => push(stack.popTuple(1)),
    [op.tuple2]: () => push(stack.popTuple(2)),
    [op.tuple3]: () => push(stack.popTuple(3)),
    [op.tuple]: () => push(makeTuple(stack.popMarked())),
    [op.emptyList]: () => push({ kind: 'list', items: [] }),
    [op.append]: () => append([pop()]),
    [op.appends]: () => append(stack.popMarked()),
    [op.emptyDict]: () => push({ kind: 'dict', entries: [] }),
    [op.setitem]: () => setItems(stack.popTuple(2).items),
    [op.setitems]: () => setItems(stack.popMarked()),
    [op.memoize]: () => stack.keep(),
    [op.binput]: () => stack.keep(cursor.u8()),
    [op.longBinput]: () => stack.keep(cursor.u32()),
    [op.binget]: () => push(stack.recall(cursor.u8())),
    [op.longBinget]: () => push(stack.recall(cursor.u32())),
    [op.global]: () => push(findGlobal(cursor.line(), cursor.line(), context)),
    [op.stackGlobal]: () => {
      const [module, name] = stack.popTuple(2).items
      if (typeof module !== 'string' || typeof name !== 'string') throw fail('names a type by something else than strings')
      push(findGlobal(module, name, context))
    },
    [op.reduce]: () => {
      const args = popArguments()
      push(callGlobal(pop(), args, context))
    },
    [op.build]: () => {
      const state = pop()
      buildState(stack.top(), state, context)
    },
    [op.binpersid]: () => push(storage(popArguments())),
  }

  for (let count = 0; count < maxSteps; count++) {
    const code = cursor.u8()
    if (code === op.stop) {
      const value = data(pop())
      if (!stack.isEmpty()) throw fail('ends with values left over')
      return value
    }
    const step = steps[code]
    if (step === undefined) throw fail(`has the opcode ${opcodeName(code)} at ${cursor.position - 1}, which is not read`)
    step()
  }
  throw fail(`takes more than ${maxSteps} steps`)
}
