/** Steps in which the learning rate rises to its peak: Adam's moments know little at first. */
const WARM_UP = 10
/** What the rate falls to, as a part of the peak. */
const LAST = 0.03

/** Learning rate of step `step` of `steps` (from 0): a short rise, the peak until half, then a straight fall to 3 %. */
export function learningRateAt(step: number, steps: number, peak: number): number {
  const rise = Math.min(1, (step + 1) / WARM_UP)
  const fall = Math.min(1, Math.max(LAST, (steps - step) / (steps * 0.5)))
  return peak * rise * fall
}
