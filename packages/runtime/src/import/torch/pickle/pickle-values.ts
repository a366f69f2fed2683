import type { NumpyArray, NumpyDType } from './numpy-values.js'
import type { TorchStorage, TorchTensor } from './torch-tensor.js'

/** What a pickle may hold: data only. Integers are those that f64 holds exactly; numpy's scalars are numbers. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDict
  | NumpyArray
  | TorchTensor

export interface PickleTuple {
  readonly kind: 'tuple'
  readonly items: readonly PickleValue[]
  /** See `StackTuple`. */
  readonly data: true
}

export interface PickleList {
  readonly kind: 'list'
  readonly items: readonly PickleValue[]
}

/** A dict or OrderedDict, in its order; keys may be tuples, and repeat in a hostile file. */
export interface PickleDict {
  readonly kind: 'dict'
  readonly entries: readonly (readonly [key: PickleValue, value: PickleValue])[]
}

/** A name that the pickle asks for; only those of pickle-globals.ts exist, and none runs code of the file. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly name: string
}

/** What stands on the stack while a pickle is read. Tuples may hold what is no data: arguments of the known names. */
export type StackValue = Exclude<PickleValue, PickleTuple> | StackTuple | PickleGlobal | TorchStorage | NumpyDType

export interface StackTuple {
  readonly kind: 'tuple'
  readonly items: readonly StackValue[]
  /** Whether it is a PickleTuple, all the way down. */
  readonly data: boolean
}

export function makeTuple(items: readonly StackValue[]): StackTuple {
  return { kind: 'tuple', items, data: items.every(isData) }
}

export function isData(value: StackValue): value is PickleValue {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return true
  if (value.kind === 'tuple') return value.data
  return value.kind === 'list' || value.kind === 'dict' || value.kind === 'array' || value.kind === 'tensor'
}

/** Whether a value is an object of that kind. */
export function ofKind<V extends StackValue | undefined, K extends Extract<StackValue, { kind: string }>['kind']>(
  value: V,
  kind: K,
): value is Extract<V, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}

/** What a value is, for messages. */
export function describeValue(value: StackValue): string {
  if (value === null) return 'None'
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'object') return value.kind === 'global' ? value.name : value.kind
  return typeof value === 'string' ? 'a string' : String(value)
}
