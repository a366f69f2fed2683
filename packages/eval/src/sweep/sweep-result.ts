import { FileFormatError, UnsupportedError } from '@dpllm/core'
import { z } from 'zod'

/** Raised when readers of before could not read what is written. */
const VERSION = 1

/** What a job measures; `calibration` makes the profile that others measure. */
export const jobKinds = ['calibration', 'perplexity', 'task', 'bits', 'latency'] as const
export type JobKind = (typeof jobKinds)[number]

/** A job's name: also that of its files. Letters, digits, dots and dashes, so that every file system takes it. */
export const keySchema = z
  .string()
  .max(160)
  .regex(/^[a-z0-9][a-z0-9.-]*$/)

/** `results/KEY.json` of a sweep's folder: what one job has found. Null stands for what does not apply. */
export const sweepResultSchema = z.object({
  format: z.literal('dpllm-sweep-result'),
  version: z.literal(VERSION),
  key: keySchema,
  kind: z.enum(jobKinds),
  /** The command that makes `value` again, for a POSIX shell; its paths are relative to where the sweep was started. */
  command: z.string(),
  /** The sweep file's label of the model. */
  model: z.string(),
  /** Label of this folder of the model where there are several: how its tables of centroids were made. */
  tables: z.string().nullable(),
  /** `unquantized`, `uniform`, or the method of the profile: `static`, `dp-llm`, `budget` … */
  method: z.string(),
  /** What the sweep file calls this method with its settings, for people; unique among its methods. */
  label: z.string(),
  /** Average bits for each weight that the profile's budget allows to be loaded; null without profile. */
  memoryBudget: z.number().nullable(),
  /** Null for what has none (unquantized), or all of a profile's (calibration). */
  targetBits: z.number().nullable(),
  /** The sweep file's label of the text, task or prompts; of a calibration its text's. */
  dataset: z.string(),
  /** Whether the same inputs give the same `value` on the same machine; false for what holds times. */
  deterministic: z.boolean(),
  /** The object that the command prints with --json. */
  value: z.record(z.string(), z.json()),
  /** File of a task's prompts and answers (JSON lines), relative to the sweep's folder. */
  answers: z.string().optional(),
  provenance: z.object({
    /** Of the package that made it. */
    version: z.string(),
    /** SHA-256 by input: `model`, `profile`, `data`, `examples`, `calibration` … A job of other inputs has another key. */
    inputs: z.record(z.string(), z.string()),
  }),
})

/** What one job has found. Holds neither times nor hosts, which are in its run record: equal inputs give equal bytes. */
export type SweepResult = z.infer<typeof sweepResultSchema>

/** `runs/KEY.json`: when and where a result was made. Not part of what is compared. */
export const runRecordSchema = z.object({
  key: keySchema,
  host: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.number(),
  node: z.string(),
  started: z.iso.datetime(),
  seconds: z.number(),
})
export type RunRecord = z.infer<typeof runRecordSchema>

/** The bytes of a result's file: a line for each field, as values are long. */
export function formatSweepResult(result: SweepResult): string {
  const fields = Object.entries(sweepResultSchema.parse(result)).map(([name, value]) => `  "${name}": ${JSON.stringify(value)}`)
  return `{\n${fields.join(',\n')}\n}\n`
}

/**
 * @param file for messages
 * @throws FileFormatError if it is no result, UnsupportedError if it is a newer version's
 */
export function parseSweepResult(json: unknown, file: string): SweepResult {
  const head = z.looseObject({ format: z.literal('dpllm-sweep-result'), version: z.number() }).safeParse(json)
  if (head.success && head.data.version > VERSION)
    throw new UnsupportedError(`${file}: has version ${head.data.version}, this program reads ${VERSION}; upgrade it`)
  const parsed = sweepResultSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FileFormatError(file, issue.message, { item: issue.path.join('.') })
}
