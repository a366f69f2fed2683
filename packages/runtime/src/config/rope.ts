import type { RopeConfig } from './model-config.js'
import type { RawConfig } from './schema.js'

/** Why a config's rotary embedding cannot be used. */
export class RopeError extends Error {}

/**
 * Frequencies of the rotary embedding with the scaling that the config names:
 * - `default`, `dynamic` (equal to it up to max_position_embeddings);
 * - `linear`: positions divided by `factor` (Chen et al. 2023);
 * - `llama3`: long wavelengths divided by `factor`, short ones kept, those between blended (Llama 3.1);
 * - `yarn`: Peng et al. 2023, §3.2 and §3.4;
 * - `longrope`: per-pair factors (Ding et al. 2024), the short ones up to the original context, else the long ones.
 * @param contextLength positions that will be used
 * @throws RopeError
 */
export function ropeFrequencies(raw: RawConfig, headDim: number, contextLength: number): RopeConfig {
  const scaling = raw.rope_scaling ?? raw.rope_parameters ?? {}
  const theta = raw.rope_theta ?? raw.rope_parameters?.rope_theta ?? 10_000
  // transformers 5 writes rope_theta and partial_rotary_factor into rope_parameters.
  const rotated = Math.floor(headDim * (raw.partial_rotary_factor ?? raw.rope_parameters?.partial_rotary_factor ?? 1))
  if (rotated % 2 !== 0) throw new RopeError(`an even number of rotated values, found ${rotated}`)
  const F = rotated / 2
  const base = Array.from({ length: F }, (_, i) => theta ** (-(2 * i) / rotated))
  const type = scaling.rope_type ?? scaling.type ?? 'default'
  const original = scaling.original_max_position_embeddings ?? raw.original_max_position_embeddings ?? raw.max_position_embeddings
  const need = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number => {
    const value = scaling[name]
    if (value == null) throw new RopeError(`${name} for rope_type ${type}`)
    return value
  }
  const plain = (values: readonly number[], scale = 1): RopeConfig => ({ frequencies: Float32Array.from(values), scale })

  switch (type) {
    case 'default':
    case 'dynamic':
      return plain(base)
    case 'linear':
      return plain(base.map((f) => f / need('factor')))
    case 'llama3': {
      const [factor, low, high] = [need('factor'), need('low_freq_factor'), need('high_freq_factor')]
      return plain(
        base.map((f) => {
          const turns = (original * f) / (2 * Math.PI)
          const keep = Math.min(Math.max((turns - low) / (high - low), 0), 1)
          return keep * f + (1 - keep) * (f / factor)
        }),
      )
    }
    case 'yarn': {
      const most = raw.max_position_embeddings
      const factor = scaling.factor ?? (original < most ? most / original : need('factor'))
      // Pair whose wavelength makes `turns` turns over the original context.
      const pairAt = (turns: number) => (rotated * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
      const whole = scaling.truncate ?? true
      const first = Math.max(whole ? Math.floor(pairAt(scaling.beta_fast ?? 32)) : pairAt(scaling.beta_fast ?? 32), 0)
      const last = Math.min(whole ? Math.ceil(pairAt(scaling.beta_slow ?? 1)) : pairAt(scaling.beta_slow ?? 1), rotated - 1)
      const values = base.map((f, i) => {
        const interpolate = Math.min(Math.max((i - first) / Math.max(last - first, 0.001), 0), 1)
        return (1 - interpolate) * f + interpolate * (f / factor)
      })
      return plain(values, scaling.attention_factor ?? yarnScale(factor, scaling.mscale, scaling.mscale_all_dim))
    }
    case 'longrope':
    case 'su': {
      const factors = contextLength > original ? scaling.long_factor : scaling.short_factor
      if (factors?.length !== F)
        throw new RopeError(`${F} values in short_factor and long_factor, found ${factors?.length ?? 'none'}`)
      const stretch = scaling.factor ?? raw.max_position_embeddings / original
      const scale = scaling.attention_factor ?? (stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original)))
      return plain(
        base.map((f, i) => f / factors[i]),
        scale,
      )
    }
    default:
      throw new RopeError(`rope_type default, dynamic, linear, llama3, yarn or longrope, found ${JSON.stringify(type)}`)
  }
}

function yarnScale(factor: number, mscale: number | null | undefined, mscaleAll: number | null | undefined): number {
  const of = (m: number) => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1)
  return mscale && mscaleAll ? of(mscale) / of(mscaleAll) : of(1)
}
