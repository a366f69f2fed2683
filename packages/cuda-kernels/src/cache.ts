import { InvalidArgumentError, type KeyValueCache } from '@dpllm/core'
import type { NativeAddon, NativeCache } from './native-types.js'

/** Keys and values in device memory. */
export class CudaCache implements KeyValueCache {
  #native: NativeCache | undefined

  constructor(
    /** The program that made it. */
    readonly owner: object,
    readonly capacity: number,
    private readonly addon: NativeAddon,
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
    if (this.#native !== undefined) this.addon.disposeCache(this.#native)
    this.#native = undefined
  }
}
