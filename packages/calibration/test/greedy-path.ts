import type { Model } from '@dpllm/runtime'

/** One greedy choice. */
export interface Choice {
  readonly token: number
  readonly logit: number
  /** The token with the second largest logit. */
  readonly next: number
  readonly nextLogit: number
}

/** Decodes `count` tokens greedily at a fixed number of bits, as `generate` does, keeping what each choice was between. */
export async function greedyPath(model: Model, prompt: Uint32Array, count: number, bits: number): Promise<Choice[]> {
  const policy = model.precision({ precision: bits }).policy!
  using cache = model.createCache(prompt.length + count)
  const path: Choice[] = []
  let tokens = prompt
  let position = 0
  while (path.length < count) {
    const { outputs } = await model.run({ tokens, position, cache, policy })
    // Of the last token alone, as nothing else was asked for.
    const choice = choose(outputs.logits)
    path.push(choice)
    position += tokens.length
    tokens = Uint32Array.of(choice.token)
  }
  return path
}

function choose(logits: Float32Array): Choice {
  let [token, next] = logits[0] >= logits[1] ? [0, 1] : [1, 0]
  for (let i = 2; i < logits.length; i++) {
    if (logits[i] > logits[token]) [token, next] = [i, token]
    else if (logits[i] > logits[next]) next = i
  }
  return { token, logit: logits[token], next, nextLogit: logits[next] }
}

/** The smallest difference between the two largest logits: a path is only as stable as its nearest tie. */
export function smallestGap(path: readonly Choice[]): number {
  return path.reduce((least, { logit, nextLogit }) => Math.min(least, logit - nextLogit), Number.POSITIVE_INFINITY)
}

/** Where two paths part and between which logits; undefined if their tokens are the same. */
export function parting(wanted: readonly Choice[], found: readonly Choice[]): string | undefined {
  const at = wanted.findIndex(({ token }, i) => token !== found[i]?.token)
  if (at < 0) return found.length === wanted.length ? undefined : `${found.length} tokens instead of ${wanted.length}`
  return `token ${at}: wanted ${describe(wanted[at])}, found ${describe(found[at])}`
}

function describe(choice: Choice | undefined): string {
  return choice ? `${choice.token} (${choice.logit}) before ${choice.next} (${choice.nextLogit})` : 'nothing'
}
