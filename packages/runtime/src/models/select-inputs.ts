/**
 * What the select operators of a program estimate errors from. The residual stream changes slowly from one sub-block to the next,
 * so that an earlier point of it, normalised as the linear's own input is, can stand for that input: the estimate is then
 * there before the input is (DP-LLM §5.2).
 * - `own`: every select reads the x of its linear.
 * - `asynchronous`, as DP-LLM's code: q, k, v of the blocks but the first read the residual before the preceding MLP; gate and
 *   up that before their block's attention; o and down, behind which there is no residual, their own x.
 * - `residual`, for estimates that are no norms of ΔW x (`probe`): all linears of a sub-block read what q, k, v or gate, up
 *   of it read when asynchronous.
 */
export type SelectInputs = (typeof selectInputKinds)[number]

export const selectInputKinds = ['own', 'asynchronous', 'residual'] as const
