import { DpllmError } from '@dpllm/core'

/** No choice of bits is within a budget. */
export class InfeasibleAllocationError extends DpllmError {
  /** The least and the most that choices come to: average bits, or bytes where the budget is in bytes. */
  readonly least: number
  readonly most: number

  constructor(budget: string, [least, most]: readonly [number, number], unit: string) {
    super('ERR_DPLLM_INFEASIBLE', `no choice of bits is within ${budget}; from ${least} to ${most} ${unit} are possible`)
    this.least = least
    this.most = most
  }
}
