import { isJsonObject, UnsupportedError } from '@dpllm/core'

/** GPT-2's pattern, which `ByteLevel` stands for (Radford et al. 2019, encoder.py). */
const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/**
 * Rewrites pre-tokenizers that `@huggingface/tokenizers` 0.2.0 splits otherwise than the original tokenizers library
 * into others that mean the same and that both split alike:
 * - `Digits` splits at every numeric character (½, ²), not only at ASCII digits;
 * - `ByteLevel` counts Unicode's white space (U+0085, not U+FEFF);
 * - `Metaspace` splits before every replacement character unless `split` is false, and knows `add_prefix_space`.
 * @throws UnsupportedError for a `Split` that the library would treat as another one
 */
export function adaptPreTokenizer(config: unknown, file: string): unknown {
  if (!isJsonObject(config)) return config ?? null
  switch (config.type) {
    case 'Sequence':
      return Array.isArray(config.pretokenizers)
        ? { ...config, pretokenizers: config.pretokenizers.map((child) => adaptPreTokenizer(child, file)) }
        : config
    case 'Digits':
      return split(config.individual_digits === true ? '\\p{N}' : '\\p{N}+')
    case 'ByteLevel':
      if (config.use_regex === false || config.add_prefix_space === true) return config
      return sequence(split(GPT2_PATTERN), { ...config, use_regex: false })
    case 'Metaspace':
      return metaspace(config)
    case 'Split':
      checkSplit(config, file)
      return config
    default:
      return config
  }
}

function split(regex: string) {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false }
}

function sequence(...pretokenizers: unknown[]) {
  return { type: 'Sequence', pretokenizers }
}

function metaspace(config: Record<string, unknown>): unknown {
  const replacement = typeof config.replacement === 'string' ? config.replacement : '▁'
  const prepend = config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always')
  const whole = { type: 'Metaspace', replacement, prepend_scheme: prepend }
  if (config.split === false) return whole
  const character = `\\u{${(replacement.codePointAt(0) as number).toString(16)}}`
  return sequence(whole, split(`${character}[^${character}]*|[^${character}]+`))
}

function checkSplit(config: Record<string, unknown>, file: string): void {
  const behavior = String(config.behavior).toLowerCase()
  const inverted = config.invert === true
  if (behavior === 'removed' || (behavior === 'isolated' && !inverted)) return
  throw new UnsupportedError(
    `${file}: Split with behavior ${JSON.stringify(config.behavior)}${inverted ? ', inverted,' : ''} is not known`,
  )
}
