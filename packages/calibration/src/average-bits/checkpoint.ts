import { createHash } from 'node:crypto'
import { FileFormatError } from '@dpllm/core'
import { exists, readJson, writeFileAtomic } from '@dpllm/core/node'
import { z } from 'zod'
import type { AdamWState } from '../optimizer/adamw.js'
import type { AverageBitsSettings } from './options.js'
import type { AveragedLinear } from './parametrization.js'

/** Everything that the next steps of a run depend on. */
export interface AverageBitsState {
  /** f64 [linears]. */
  readonly z: Float64Array
  readonly adamW: AdamWState<Float64Array>
  /** Mean cross entropy of each step so far. */
  readonly losses: number[]
}

/** Raised when the same input and settings give other results than before, so that no run goes on with them. */
const VERSION = 1

/** Far above what a thousand linears and a hundred thousand steps take. */
const MAX_BYTES = 2 ** 24

const numbers = z.array(z.number())
const schema = z.looseObject({
  format: z.literal(1),
  run: z.string(),
  z: numbers,
  mean: numbers,
  square: z.array(z.number().nonnegative()),
  losses: numbers,
})

/** SHA-256 of what the result of a run depends on, but for how the machine rounds. */
export function identityOfRun(
  fingerprint: string,
  linears: readonly AveragedLinear[],
  settings: AverageBitsSettings,
  start: ArrayLike<number> | undefined,
  windows: readonly Uint32Array[],
): string {
  const hash = createHash('sha256')
  const lengths = windows.map(({ length }) => length)
  hash.update(JSON.stringify({ VERSION, fingerprint, linears, settings, start: start && Array.from(start), lengths }))
  for (const window of windows) hash.update(window)
  return hash.digest('hex')
}

/** Writes a state, its numbers so that they are read back as they are. The file appears whole or not at all. */
export async function writeCheckpointFile(file: string, run: string, state: AverageBitsState): Promise<void> {
  const { z, adamW, losses } = state
  const arrays = { z, mean: adamW.mean, square: adamW.square }
  const lists = Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Array.from(values)]))
  await writeFileAtomic(file, `${JSON.stringify({ format: 1, run, ...lists, losses })}\n`)
}

/**
 * Reads the state of a run.
 * @returns undefined if there is no file
 * @throws FileFormatError if it is damaged or of another run
 */
export async function readCheckpointFile(
  file: string,
  run: string,
  limits: { readonly linears: number; readonly steps: number },
): Promise<AverageBitsState | undefined> {
  if (!(await exists(file))) return undefined
  const parsed = schema.safeParse(await readJson(file, { maxBytes: MAX_BYTES }))
  if (!parsed.success) throw new FileFormatError(file, `is no state of average bits; delete it: ${parsed.error.message}`)
  const { data } = parsed
  if (data.run !== run)
    throw new FileFormatError(file, 'is of another model, text or settings; delete it, or take another file for the checkpoint')
  for (const item of ['z', 'mean', 'square'] as const)
    if (data[item].length !== limits.linears)
      throw new FileFormatError(file, `expected ${limits.linears} numbers, found ${data[item].length}; delete it`, { item })
  const steps = data.losses.length
  if (steps > limits.steps)
    throw new FileFormatError(file, `expected at most ${limits.steps} numbers, found ${steps}; delete it`, { item: 'losses' })
  const { z, mean, square } = data
  return {
    z: Float64Array.from(z),
    adamW: { mean: Float64Array.from(mean), square: Float64Array.from(square), steps },
    losses: data.losses,
  }
}
