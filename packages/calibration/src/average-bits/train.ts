import { DpllmError } from '@dpllm/core'
import { adamWStep } from '../optimizer/adamw.js'
import type { AverageBitsState } from './checkpoint.js'
import type { MixedModel } from './mixed-model.js'
import { objectiveGradient } from './objective.js'
import type { AverageBitsSettings } from './options.js'
import { type AveragedLinear, averageBitsOf } from './parametrization.js'

/**
 * One step: the gradient of the batch's mean cross entropy at the present p, that of the penalty, and AdamW on z. Windows
 * come in their order, over and over (DP-LLM's code does not shuffle). Changes the state in place, but for its losses.
 * @returns the batch's mean cross entropy, nats
 * @throws DpllmError ERR_DPLLM_NOT_FINITE, before anything is changed
 */
export async function trainStep(
  model: MixedModel,
  linears: readonly AveragedLinear[],
  windows: readonly Uint32Array[],
  state: AverageBitsState,
  settings: AverageBitsSettings,
): Promise<number> {
  const { z, adamW } = state
  const { batch } = settings
  const averageBits = averageBitsOf(linears, z)
  const byAverageBits = new Float64Array(linears.length)
  let loss = 0
  for (let i = 0; i < batch; i++) {
    const window = windows[(adamW.steps * batch + i) % windows.length]
    const found = await model.run(window, linears, averageBits)
    loss += found.loss / batch
    found.gradient.forEach((g, j) => {
      byAverageBits[j] += g / batch
    })
  }
  if (!Number.isFinite(loss) || !byAverageBits.every(Number.isFinite)) {
    const message = `step ${adamW.steps}: loss or gradient is no finite number on the calibration text; weights may be damaged`
    throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
  }
  adamWStep(z, objectiveGradient(linears, z, byAverageBits, settings), adamW, settings)
  return loss
}
