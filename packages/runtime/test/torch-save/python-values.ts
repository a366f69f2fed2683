/** Values of Python as plain data, for the pickler beside this file. Strings, booleans and null stand for themselves. */
export type PythonValue = null | boolean | string | Int | Float | Tuple | Dict | Global | Call | Tensor | Raw | List

export interface Int {
  readonly int: number
}
export interface Float {
  readonly float: number
}
export interface Tuple {
  readonly tuple: readonly PythonValue[]
}
export interface List {
  readonly list: readonly PythonValue[]
}
export interface Dict {
  readonly dict: readonly (readonly [PythonValue, PythonValue])[]
}
/** A class or function. */
export interface Global {
  readonly module: string
  readonly name: string
}
/** An object that is pickled by __reduce__: callable, arguments, items of a mapping, state. */
export interface Call {
  readonly call: Global
  readonly args: readonly PythonValue[]
  readonly items?: Dict['dict']
  readonly state?: PythonValue
}
/** Opcodes as they are. */
export interface Raw {
  readonly opcodes: Uint8Array
}

/** What torch.save puts in an entry of its own. Tensors of the same storage share it. */
export interface Storage {
  readonly type: string
  /** Little-endian elements. */
  readonly bytes: Uint8Array
  readonly elements: number
  /** The device that it was on. */
  readonly location: string
}
export interface Tensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly requiresGrad: boolean
}

const classes = {
  f64: ['DoubleStorage', 8],
  f32: ['FloatStorage', 4],
  f16: ['HalfStorage', 2],
  bf16: ['BFloat16Storage', 2],
  i64: ['LongStorage', 8],
  i32: ['IntStorage', 4],
  u8: ['ByteStorage', 1],
} as const

export const int = (value: number): Int => ({ int: value })
export const float = (value: number): Float => ({ float: value })
export const tuple = (...items: PythonValue[]): Tuple => ({ tuple: items })
export const list = (...items: PythonValue[]): List => ({ list: items })
export const dict = (entries: Dict['dict']): Dict => ({ dict: entries })
export const opcodes = (...bytes: (number | string)[]): Raw => ({
  opcodes: Buffer.concat(bytes.map((b) => (typeof b === 'number' ? Uint8Array.of(b) : Buffer.from(b, 'latin1')))),
})

/** The same object wherever it comes, as Python's classes are. */
const globals = new Map<string, Global>()
export function global(module: string, name: string): Global {
  const key = `${module} ${name}`
  globals.set(key, globals.get(key) ?? { module, name })
  return globals.get(key)!
}

/** collections.OrderedDict, with attributes if it has any. */
export function orderedDict(items: Dict['dict'], attributes?: Dict['dict']): Call {
  const state = attributes === undefined ? {} : { state: dict(attributes) }
  return { call: global('collections', 'OrderedDict'), args: [], items, ...state }
}

export function storage(dtype: keyof typeof classes, data: ArrayBufferView, location = 'cpu'): Storage {
  const [type, size] = classes[dtype]
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { type, bytes, elements: bytes.length / size, location }
}

/** A tensor over a whole storage, or with an offset and strides over a part of it. */
export function tensor(
  of: Storage,
  shape: readonly number[],
  { offset = 0, strides = rowMajor(shape), requiresGrad = false }: Partial<Omit<Tensor, 'storage' | 'shape'>> = {},
): Tensor {
  return { storage: of, offset, shape, strides, requiresGrad }
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
}

/** numpy's scalars and arrays; `core` is the module's name in numpy 1 or 2. */
export function numpy(core: 'numpy.core' | 'numpy._core' = 'numpy.core') {
  const multiarray = `${core}.multiarray`
  const dtype = (name: string): Call => ({
    call: global('numpy', 'dtype'),
    args: [name, false, true],
    state: tuple(int(3), name === 'u1' ? '|' : '<', null, null, null, int(-1), int(-1), int(0)),
  })
  const dtypes = new Map<string, Call>()
  const shared = (name: string) => {
    dtypes.set(name, dtypes.get(name) ?? dtype(name))
    return dtypes.get(name)!
  }
  const bytes = (data: Uint8Array): Call => ({
    call: global('_codecs', 'encode'),
    args: [Buffer.from(data).toString('latin1'), 'latin1'],
  })
  const b = bytes(Buffer.from('b'))
  return {
    f64: (value: number): Call => ({
      call: global(multiarray, 'scalar'),
      args: [shared('f8'), bytes(new Uint8Array(Float64Array.of(value).buffer))],
    }),
    array: (name: string, shape: readonly number[], data: Uint8Array): Call => ({
      call: global(multiarray, '_reconstruct'),
      args: [global('numpy', 'ndarray'), tuple(int(0)), b],
      state: tuple(int(1), tuple(...shape.map(int)), shared(name), false, bytes(data)),
    }),
  }
}
