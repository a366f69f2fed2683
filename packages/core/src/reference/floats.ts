/** Arrays of values: f32, or f64 where tests of gradients need more than f32 differences can show. */
export type Floats = Float32Array | Float64Array

/** Which of both a program computes in. */
export type FloatsConstructor = typeof Float32Array | typeof Float64Array
