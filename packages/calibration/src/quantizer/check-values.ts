/** Largest magnitude that a table of half-precision centroids can hold. */
export const MAX_F16 = 65504

/** Index of the first value that is not finite or whose magnitude is above MAX_F16; −1 if there is none. */
export function firstUnquantizable(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]) <= MAX_F16)) return i
  return -1
}

/** Index of the first sensitivity that is negative or not finite; −1 if there is none. */
export function firstBadSensitivity(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!(values[i] >= 0 && values[i] < Number.POSITIVE_INFINITY)) return i
  return -1
}
