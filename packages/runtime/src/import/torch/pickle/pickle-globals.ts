import { isNumpyDTypeName, numpyBytes, numpyNumber } from './numpy-values.js'
import { describeValue, isData, ofKind, type PickleGlobal, type StackTuple, type StackValue } from './pickle-values.js'
import { makeTensor, storageClasses } from './torch-tensor.js'

/** What the known names need of the reader. */
export interface GlobalContext {
  /** The error to throw. */
  fail(message: string): Error
  /** Counts bytes that are made from those of the file. @throws FileFormatError if these become more than the file has */
  made(bytes: number): void
}

type Call = (args: readonly StackValue[], context: GlobalContext) => StackValue

/** Where modules were called otherwise in other versions. */
const modules: ReadonlyMap<string, string> = new Map([['numpy._core.multiarray', 'numpy.core.multiarray']])

/**
 * The only names that a pickle can ask for, and what calling them does; undefined for those that are only named. They are
 * what torch.save writes for tensors and for numpy's scalars and arrays.
 */
const calls: ReadonlyMap<string, Call | undefined> = new Map<string, Call | undefined>([
  ['collections.OrderedDict', emptyDict],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['_codecs.encode', encodeLatin1],
  ['numpy.dtype', makeDType],
  ['numpy.core.multiarray.scalar', makeScalar],
  ['numpy.core.multiarray._reconstruct', emptyArray],
  ['numpy.ndarray', undefined],
  ...[...storageClasses.keys()].map((name) => [name, undefined] as const),
])

/** Finds a name. @throws what `fail` makes, if it is not one of the known ones */
export function findGlobal(module: string, name: string, { fail }: GlobalContext): PickleGlobal {
  const full = `${modules.get(module) ?? module}.${name}`
  if (calls.has(full)) return { kind: 'global', name: full }
  throw fail(`asks for ${module}.${name}; only tensors, numbers, strings and containers of them are read`)
}

/** Calls a name. @throws what `fail` makes, for other arguments than torch and numpy write */
export function callGlobal(callee: StackValue, args: StackTuple, context: GlobalContext): StackValue {
  const call = ofKind(callee, 'global') ? calls.get(callee.name) : undefined
  if (call === undefined) throw context.fail(`calls ${describeValue(callee)}, which is nothing to be called`)
  return call(args.items, context)
}

/** Sets the state of a new object: attributes of a dict, which are dropped, or what a dtype or array is. */
export function buildState(target: StackValue, state: StackValue, { fail }: GlobalContext): void {
  if (ofKind(target, 'dict') && isData(state)) return
  if (ofKind(target, 'dtype') && ofKind(state, 'tuple')) {
    // (version, byte order, subarray, names, fields, bytes, alignment, flags)
    const [, order, ...rest] = state.items
    if (order !== '<' && order !== '|' && order !== '=') throw fail('holds numbers of numpy that are not little-endian')
    if (rest.slice(0, 3).some((item) => item !== null)) throw fail('holds a dtype of numpy with fields')
  } else if (ofKind(target, 'array') && ofKind(state, 'tuple')) {
    // (version, shape, dtype, Fortran order, elements)
    const [, shape, dtype, fortran, bytes] = state.items
    if (!ofKind(shape, 'tuple') || !ofKind(dtype, 'dtype') || fortran !== false || !(bytes instanceof Uint8Array)) {
      throw fail('holds an array of numpy that is not read; save a copy in C order')
    }
    if (numpyBytes(dtype.name, shape.items) !== bytes.length) {
      throw fail(`holds an array of numpy with ${bytes.length} bytes, which do not fit its shape`)
    }
    Object.assign(target, { shape: shape.items, dtype: dtype.name, bytes })
  } else throw fail(`sets a state of ${describeValue(target)} that is not read: ${describeValue(state)}`)
}

function emptyDict(args: readonly StackValue[], { fail }: GlobalContext): StackValue {
  if (args.length > 0) throw fail('makes an OrderedDict from arguments')
  return { kind: 'dict', entries: [] }
}

/** _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks). */
function rebuildTensor([storage, offset, shape, strides]: readonly StackValue[], { fail }: GlobalContext): StackValue {
  const [sizes, steps] = [numbers(shape), numbers(strides)]
  if (!ofKind(storage, 'storage') || typeof offset !== 'number' || sizes === undefined || steps === undefined) {
    throw fail('makes a tensor of something else than a storage, offset, shape and strides')
  }
  return makeTensor(storage, offset, sizes, steps, fail)
}

/** encode(text, 'latin1'): how protocols below 3 hold bytes. */
function encodeLatin1([text, encoding]: readonly StackValue[], { fail, made }: GlobalContext): StackValue {
  if (typeof text !== 'string' || encoding !== 'latin1') throw fail('encodes other than text as latin1')
  made(text.length)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 255) throw fail('encodes characters beyond latin1')
    bytes[i] = code
  }
  return bytes
}

/** dtype(name, align, copy). */
function makeDType([name]: readonly StackValue[], { fail }: GlobalContext): StackValue {
  if (typeof name !== 'string' || !isNumpyDTypeName(name)) {
    throw fail(
      `holds a dtype of numpy that is not read: ${typeof name === 'string' ? JSON.stringify(name) : describeValue(name)}`,
    )
  }
  return { kind: 'dtype', name }
}

/** scalar(dtype, bytes). */
function makeScalar([dtype, bytes]: readonly StackValue[], { fail }: GlobalContext): StackValue {
  if (!ofKind(dtype, 'dtype') || !(bytes instanceof Uint8Array) || bytes.length !== numpyBytes(dtype.name, [])) {
    throw fail('makes a scalar of numpy from something else than its dtype and bytes')
  }
  const value = numpyNumber(dtype.name, bytes)
  if (value === undefined) throw fail('holds an integer beyond 2^53')
  return value
}

/** _reconstruct(ndarray, (0,), b'b'): an array whose state follows. */
function emptyArray([type]: readonly StackValue[], { fail }: GlobalContext): StackValue {
  if (!ofKind(type, 'global') || type.name !== 'numpy.ndarray') throw fail('makes an array of another type than numpy.ndarray')
  return { kind: 'array', dtype: 'u1', shape: [0], bytes: new Uint8Array(0) }
}

function numbers(value: StackValue | undefined): number[] | undefined {
  if (!ofKind(value, 'tuple')) return undefined
  const items = value.items.filter((item) => typeof item === 'number')
  return items.length === value.items.length ? items : undefined
}
