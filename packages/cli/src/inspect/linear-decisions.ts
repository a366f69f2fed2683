import { MIN_BITS, THRESHOLDS } from '@dpllm/core'
import { choosePrecision, type LinearInfo, type Profile, thresholdCurve } from '@dpllm/runtime'

/** How one linear is read at a target of a profile. */
export interface LinearDecision {
  readonly module: string
  /** B: most bits that the profile's memory budget loads. */
  readonly loadedBits: number
  /** Fewest bits that a token reads. */
  readonly low: number
  /** Most bits that a token reads; as many as `low` where no token decides. */
  readonly high: number
  /** f64 [high − low]: the estimates above which a token reads low + 1, low + 2 … high bits. */
  readonly thresholds: readonly number[]
  /** What makes a token's estimate; `none` where there is nothing to decide. */
  readonly estimator: 'none' | 'exact' | 'projection' | 'linear' | 'probe'
  /**
   * Mean bits of tokens: p of DP-LLM (its shift included), which thresholds bring about, or the bits of a static method.
   * Not known of budget policies, which set a price, and of imported thresholds.
   */
  readonly averageBits?: number
  /** Of budget policies: bits of a token to which the loss is as sensitive here as to the mean token. */
  readonly bitsAtMeanSensitivity?: number
}

/** What a profile decides at one target. */
export interface ProfileDecisions {
  readonly profile: string
  readonly method: string
  readonly kind: Profile['data']['policy']['kind']
  readonly memoryBudget: number
  readonly targetBits: number
  readonly linears: readonly LinearDecision[]
}

/**
 * Makes a profile's policy for a target, as a request would, and reads from it what each linear does.
 * @param linears all linears that decide, as a model's files have them
 * @throws InvalidArgumentError for a target that the profile cannot be asked for
 */
export function profileDecisions(profile: Profile, targetBits: number, linears: readonly LinearInfo[]): ProfileDecisions {
  const { method, memoryBudget, maxBits, policy: data } = profile.data
  const { policy } = choosePrecision({ targetBits, method }, { linears, profile })
  const { thresholds, estimators } = policy!
  const averages = data.kind === 'threshold' ? thresholdCurve(data, linears).at(targetBits) : undefined
  const decisions = linears.map(({ module, maxBits: most }, i): LinearDecision => {
    const row = [...thresholds.subarray(i * THRESHOLDS, (i + 1) * THRESHOLDS)]
    const low = MIN_BITS + row.filter((threshold) => threshold === Number.NEGATIVE_INFINITY).length
    const steps = row.filter(Number.isFinite)
    const bits = { low, high: low + steps.length, thresholds: steps, estimator: estimators[i].kind }
    const loaded = { module, loadedBits: maxBits[module] ?? most, ...bits }
    if (averages !== undefined) return { ...loaded, averageBits: averages[i] }
    if (data.kind === 'static') return { ...loaded, averageBits: low }
    // The probe estimates the logarithm of a token's sensitivity over the mean.
    if (data.kind === 'budget')
      return { ...loaded, bitsAtMeanSensitivity: low + steps.filter((threshold) => threshold < 0).length }
    return loaded
  })
  return { profile: profile.name, method, kind: data.kind, memoryBudget, targetBits, linears: decisions }
}

/** The bit counts that tokens decide on, of all linears. */
export function stepBits(linears: readonly LinearDecision[]): number[] {
  const [least, most] = [Math.min(...linears.map(({ low }) => low)), Math.max(...linears.map(({ high }) => high))]
  return Array.from({ length: most - least }, (_, j) => least + 1 + j)
}

/** The estimate above which a linear reads so many bits, or more; undefined if no token decides that. */
export function thresholdOf({ low, thresholds }: LinearDecision, bits: number): number | undefined {
  return thresholds[bits - low - 1]
}
