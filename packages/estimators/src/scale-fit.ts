/**
 * The factor s that brings estimates nearest to errors, least squares of s · estimate − error: Σ e ê / Σ ê². What a
 * low-rank sketch misses is made up for by it. 1 if all estimates are 0.
 * @param estimates f32 [n]
 * @param errors f32 [n]
 */
export function fitScale(estimates: ArrayLike<number>, errors: ArrayLike<number>): number {
  let [products, squares] = [0, 0]
  for (let i = 0; i < errors.length; i++) {
    products += estimates[i] * errors[i]
    squares += estimates[i] * estimates[i]
  }
  return squares === 0 || products === 0 ? 1 : products / squares
}
