/** What brings the average bits of a running model to a target. */
export interface LandedShift {
  /** Added to the average bits of every linear. */
  readonly shift: number
  /** What was measured with it. */
  readonly measuredBits: number
}

/** Misses that are not worth another pass: a tenth of what is promised. */
const CLOSE_ENOUGH = 0.002

/** Passes at most. */
const PASSES = 4

/**
 * Finds a shift of all average bits with which the running model reads what was asked for: decisions change the inputs of
 * the layers behind them and with these their estimates, so that what quantiles promise is not quite what comes out.
 * @param measure bits that are really read with a shift
 */
export async function landShift(
  targetBits: number,
  measure: (shift: number, pass: number) => Promise<number>,
): Promise<LandedShift> {
  let best: LandedShift | undefined
  let shift = 0
  for (let pass = 0; pass < PASSES; pass++) {
    const measuredBits = await measure(shift, pass)
    const miss = measuredBits - targetBits
    if (best === undefined || Math.abs(miss) < Math.abs(best.measuredBits - targetBits)) best = { shift, measuredBits }
    if (Math.abs(miss) <= CLOSE_ENOUGH) break
    // Thresholds are quantiles, so that bits follow the shift one for one.
    shift -= miss
  }
  return best!
}

/** Passes over the windows that `landShift` makes at most. */
export const landingPasses = PASSES
