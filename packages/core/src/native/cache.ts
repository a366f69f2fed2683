import type { KeyValueCache } from '../backend/backend.js'
import { InvalidArgumentError } from '../errors.js'
import type { NativeBinding, NativeCache } from './binding.js'

/** Keys and values in memory that an addon holds. */
export class NativeKeyValueCache implements KeyValueCache {
  #native: NativeCache | undefined

  constructor(
    /** The program that made it. */
    readonly owner: object,
    readonly capacity: number,
    private readonly binding: NativeBinding,
    native: NativeCache,
  ) {
    this.#native = native
  }

  /** @throws InvalidArgumentError once disposed */
  native(): NativeCache {
    if (this.#native === undefined) throw new InvalidArgumentError('cache', 'one that has not been disposed', 'a disposed one')
    return this.#native
  }

  [Symbol.dispose](): void {
    if (this.#native !== undefined) this.binding.disposeCache(this.#native)
    this.#native = undefined
  }
}
