import { createRandom } from '@dpllm/core'
import type { AveragedLinear } from './parametrization.js'

/** Where p begins: at the target wherever the linear can be read at more bits than that, or anywhere. */
export type AverageBitsInit = 'target' | 'random'

/**
 * First z = logit(u) of a run (DP-LLM's code, 2_finetune.py, with and without `--init_targ`): u is uniform in (0, 1), one draw
 * for each linear, used or not; or, for `target`, what makes p the target where that is between `minBits` and `maxBits`.
 * @returns f64 [linears], 0 for fixed linears
 */
export function initialParameters(
  linears: readonly AveragedLinear[],
  { init, targetBits, seed }: { readonly init: AverageBitsInit; readonly targetBits: number; readonly seed: number },
): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from(linears, ({ minBits, maxBits }) => {
    // Half a unit of the generator away from 0.
    const drawn = random.uniform() + 2 ** -33
    if (maxBits === minBits) return 0
    const within = init === 'target' && minBits < targetBits && targetBits < maxBits
    const u = within ? (targetBits - minBits) / (maxBits - minBits) : drawn
    return Math.log(u / (1 - u))
  })
}
