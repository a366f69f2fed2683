export declare function synthetic(
  normal: () => number,
  options: {
    readonly rows: number
    readonly cols: number
    readonly tokens: number
    readonly decay?: number
    readonly spread?: number
  },
): {
  /** f32 [rows, cols] */
  readonly difference: Float32Array
  /** f32 [tokens, cols] */
  readonly x: Float32Array
  readonly rowOf: (row: number) => Float32Array
}
