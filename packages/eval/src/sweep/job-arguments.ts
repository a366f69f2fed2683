import type { Sweep } from './sweep-file.js'

/** A part of a command: an input's path stands for its contents, so that a job's key is the same wherever files are. */
export type Part = string | { readonly input: string; readonly path: string }

type Value = string | number | boolean | undefined

/** `{ maxTokens: 5, json: true }` → `--max-tokens 5 --json`; what is undefined or false is left out. */
export function flags(values: Readonly<Record<string, Value>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    if (value === undefined || value === false) return []
    // A value that begins with a dash would be taken for a flag.
    return value === true ? [flag] : String(value).startsWith('-') ? [`${flag}=${value}`] : [flag, String(value)]
  })
}

/** A flag whose value is an input. */
export function inputFlag(name: string, path: string | undefined): Part[] {
  return path === undefined ? [] : [`--${name}`, { input: name, path }]
}

type Perplexity = Sweep['perplexity'][number]
type Task = Sweep['tasks'][number]
type Requests = Sweep['bits'][number]

/** `dpllm eval ppl` of a text; @param original what `reference` compares with */
export function perplexityParts(model: Part, { label: _, data, reference, ...rest }: Perplexity, original?: string): Part[] {
  const compared = reference && original !== undefined ? inputFlag('reference', original) : []
  return ['eval', 'ppl', model, ...inputFlag('data', data), ...compared, ...flags(rest)]
}

export function taskParts(model: Part, { label: _, task, data, examples, ...rest }: Task, allowCode: boolean): Part[] {
  const inputs = [...inputFlag('data', data), ...inputFlag('examples', examples)]
  return ['eval', 'task', task, model, ...inputs, ...flags({ ...rest, allowCode })]
}

/** `dpllm eval bits` and `dpllm eval latency`. */
export function requestParts(kind: 'bits' | 'latency', model: Part, { label: _, prompts, ...rest }: Requests): Part[] {
  return ['eval', kind, model, ...inputFlag('prompts', prompts), ...flags(rest)]
}

/** The command itself. */
export function argumentsOf(parts: readonly Part[]): string[] {
  return parts.map((part) => (typeof part === 'string' ? part : part.path))
}
