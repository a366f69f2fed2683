import { InvalidArgumentError, type Policy, staticPolicy } from '@dpllm/core'
import type { LinearInfo } from '../model/linears.js'
import type { SelectInputs } from '../models/select-inputs.js'
import { type Profile, selectInputsOf } from '../profile/profile.js'
import { type AdaptivePolicy, createAdaptivePolicy } from './adaptive-policy.js'
import { allocationPolicy } from './allocation-policy.js'
import { fixedPolicy } from './fixed-policy.js'
import { hasTarget } from './targets.js'

/** How precise a request is to be; nothing: everything that is loaded. */
export interface PrecisionRequest {
  /** Average bits for each weight: decided by the model's profile, or a whole number for all. */
  readonly targetBits?: number | undefined
  /**
   * The same whole number of bits for every linear and token. `static` wants `targetBits` with the same bits for every token,
   * `dynamic` with bits decided for each.
   */
  readonly precision?: 'dynamic' | 'static' | number | undefined
  /**
   * `uniform` (a whole number), or the method that made the profile: `static`, `llm-mq`, `hawq-v2`, `lsaq`, `dp-llm`,
   * `budget`. Default: the profile's if it has the target, else `uniform`.
   */
  readonly method?: string | undefined
}

/** A request made concrete for a model. */
export interface Precision {
  /** Undefined reads the most bits loaded. */
  readonly policy: Policy | undefined
  /**
   * The policy of prompts: as published, a dynamic precision reads prompts at the most bits loaded, since fewer bits
   * do not make prefill faster (DP-LLM §6.1).
   */
  readonly prefillPolicy: Policy | undefined
  /** What decides: `uniform`, or the method that made the profile; undefined where all that is loaded is read. */
  readonly method?: string | undefined
  /**
   * Makes an equal policy with thresholds of its own, which a request can move to another target between two tokens.
   * Undefined where there is no other target to move to.
   */
  readonly adapt?: (() => AdaptivePolicy) | undefined
}

/** What a precision is chosen for. */
export interface PrecisionContext {
  /** Linears of the select operators, in order; empty for an unquantized model. */
  readonly linears: readonly LinearInfo[]
  readonly profile: Profile | undefined
  /** What the select operators read; undefined for what the profile is made for. */
  readonly selectInputs?: SelectInputs | undefined
}

/** @throws InvalidArgumentError for a precision that the loaded model cannot give */
export function choosePrecision(request: PrecisionRequest, context: PrecisionContext): Precision {
  const { targetBits, precision, method } = request
  if (targetBits === undefined && (precision === undefined || precision === 'static') && method === undefined)
    return { policy: undefined, prefillPolicy: undefined }
  if (context.linears.length === 0) {
    throw new InvalidArgumentError('precision', 'a quantized model (run dpllm quantize first)', targetBits ?? precision ?? method)
  }
  if (typeof precision === 'number') {
    if (method !== undefined && method !== 'uniform')
      throw new InvalidArgumentError('method', `uniform, since precision is ${precision}`, method)
    return uniform('precision', precision, context)
  }
  if (targetBits === undefined) {
    const reason = method === undefined ? 'precision is dynamic' : `method is ${method}`
    throw new InvalidArgumentError('targetBits', `a number of bits, since ${reason}`, undefined)
  }
  const profile = profileFor({ targetBits, precision, method }, context)
  return profile === undefined ? uniform('targetBits', targetBits, context) : profiled(profile, targetBits, context)
}

/** The profile that decides a target; undefined if all linears read the same. */
function profileFor(
  { targetBits, precision, method }: PrecisionRequest & { targetBits: number },
  { profile, linears }: PrecisionContext,
): Profile | undefined {
  const isStatic = profile?.data.policy.kind === 'static'
  if (method === 'uniform') {
    if (precision === 'dynamic') throw new InvalidArgumentError('method', 'another one, since precision is dynamic', method)
    return undefined
  }
  if (method === undefined) {
    if (precision === 'static' && !isStatic) return undefined
    const calibrated = profile !== undefined && hasTarget(profile.data, targetBits, linears)
    if (Number.isInteger(targetBits) && !calibrated) return undefined
  }
  if (profile === undefined) {
    const wanted =
      method === undefined ? 'a whole number, or a model with a profile' : `a model with a profile of method ${method}`
    throw new InvalidArgumentError('targetBits', `${wanted} (run dpllm calibrate first)`, targetBits)
  }
  if (method !== undefined && method !== profile.data.method) {
    const wanted = `uniform or ${profile.data.method}, of which the loaded profile ${profile.name} is (load one of another method)`
    throw new InvalidArgumentError('method', wanted, method)
  }
  if (precision !== undefined && (precision === 'static') !== isStatic) {
    const wanted = `${isStatic ? 'static' : 'dynamic'}, as profile ${profile.name} is`
    throw new InvalidArgumentError('precision', wanted, precision)
  }
  return profile
}

function profiled(profile: Profile, targetBits: number, { linears, selectInputs }: PrecisionContext): Precision {
  const { method, policy: data } = profile.data
  if (data.kind === 'static') {
    const policy = allocationPolicy(profile, data, targetBits, linears)
    return { policy, prefillPolicy: policy, method }
  }
  const wanted = selectInputsOf(data)
  if (selectInputs !== undefined && selectInputs !== wanted)
    throw new InvalidArgumentError('selectInputs', `${wanted}, which profile ${profile.name} is made for`, selectInputs)
  if (data.kind === 'fixed') return { policy: fixedPolicy(profile, data, targetBits, linears), prefillPolicy: undefined, method }
  const adapt = () => createAdaptivePolicy(profile, targetBits, linears)
  return { policy: adapt().policy, prefillPolicy: undefined, method, adapt }
}

function uniform(argument: string, bits: number, { linears }: PrecisionContext): Precision {
  // What all linears can be read at.
  const minBits = Math.max(...linears.map((linear) => linear.minBits))
  const maxBits = Math.min(...linears.map((linear) => linear.maxBits))
  if (!Number.isInteger(bits) || bits < minBits || bits > maxBits) {
    throw new InvalidArgumentError(
      argument,
      `a whole number from ${minBits} to ${maxBits}, the bits that are loaded of every linear (a profile's budget limits them; load with profile: false for all)`,
      bits,
    )
  }
  const policy = staticPolicy(linears.map(() => bits))
  return { policy, prefillPolicy: policy, method: 'uniform' }
}
