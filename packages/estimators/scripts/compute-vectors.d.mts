/** Vectors are plain JSON: `exact` and `near` are compared entry by entry. */
export declare function computeVectors(lib: typeof import('../src/index.js')): Promise<{
  readonly about: string
  readonly shape: Readonly<Record<'rows' | 'cols' | 'tokens', number>>
  readonly exact: unknown
  readonly near: unknown
}>
