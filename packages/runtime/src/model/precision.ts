import { InvalidArgumentError, type Policy, staticPolicy } from '@dpllm/core'
import type { Profile } from '../profile/profile.js'
import { findTarget, profilePolicy } from '../profile/profile-policy.js'
import type { LinearInfo } from './linears.js'

/** How precise a request is to be; none of both: everything that is loaded. */
export interface PrecisionRequest {
  /** Average bits for each weight, decided per linear and token by the model's profile. */
  readonly targetBits?: number | undefined
  /** The same whole number of bits for every linear and token; `dynamic` needs `targetBits`, `static` a whole one. */
  readonly precision?: 'dynamic' | 'static' | number | undefined
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
}

/** What a precision is chosen for. */
export interface PrecisionContext {
  /** Linears of the select operators, in order; empty for an unquantized model. */
  readonly linears: readonly LinearInfo[]
  readonly profile: Profile | undefined
}

/** @throws InvalidArgumentError for a precision that the loaded model cannot give */
export function choosePrecision(request: PrecisionRequest, context: PrecisionContext): Precision {
  const { targetBits, precision } = request
  if (targetBits === undefined && (precision === undefined || precision === 'static'))
    return { policy: undefined, prefillPolicy: undefined }
  if (context.linears.length === 0) {
    throw new InvalidArgumentError('precision', 'a quantized model (run dpllm quantize first)', targetBits ?? precision)
  }
  if (typeof precision === 'number') return uniform('precision', precision, context)
  if (targetBits === undefined)
    throw new InvalidArgumentError('targetBits', 'a number of bits, since precision is dynamic', undefined)
  const calibrated = context.profile !== undefined && findTarget(context.profile.data, targetBits) !== undefined
  if (precision === 'static' || (Number.isInteger(targetBits) && !calibrated)) return uniform('targetBits', targetBits, context)
  if (context.profile === undefined) {
    throw new InvalidArgumentError(
      'targetBits',
      'a whole number, or a model with a profile (run dpllm calibrate first)',
      targetBits,
    )
  }
  return { policy: profilePolicy(context.profile, targetBits, context.linears), prefillPolicy: undefined }
}

function uniform(argument: string, bits: number, { linears }: PrecisionContext): Precision {
  // What all linears can be read at.
  const minBits = Math.max(...linears.map((linear) => linear.minBits))
  const maxBits = Math.min(...linears.map((linear) => linear.maxBits))
  if (!Number.isInteger(bits) || bits < minBits || bits > maxBits) {
    throw new InvalidArgumentError(
      argument,
      `a whole number from ${minBits} to ${maxBits}, the bits that are loaded of every linear`,
      bits,
    )
  }
  const policy = staticPolicy(linears.map(() => bits))
  return { policy, prefillPolicy: policy }
}
