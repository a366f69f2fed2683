import { FileFormatError } from '@dpllm/core'
import { readJson } from '@dpllm/core/node'
import { z } from 'zod'
import { tasks as knownTasks } from '../tasks/tasks.js'

/** A sweep file is written by hand, and each entry multiplies with others. */
const MAX_ENTRIES = 100

const count = z.number().int().min(1)
const seed = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1)
const label = z.string().min(1).max(80)
const file = z.string().min(1)
const bits = z.number().min(1).max(8)
const list = <T extends z.ZodType>(entry: T) => z.array(entry).max(MAX_ENTRIES)
const unique = <T extends z.ZodType>(entry: T, name: string) =>
  list(entry).refine((all) => new Set(all).size === all.length, `expected each of the ${name} once`)

const model = z.strictObject({
  label,
  /** What tells this folder from others of the same label: how its tables were made. */
  tables: label.optional(),
  /** Folder of the quantized model. */
  path: file,
  /** Folder of the original: measured too, and what `reference` compares with. */
  original: file.optional(),
})

const calibrated = z.strictObject({
  method: z.string(),
  /** Default: the method's name. */
  label: label.optional(),
  /** A profile that the models have; without it one is calibrated for each budget. */
  profile: z.string().min(1).optional(),
  /** Whether bits are held at the target; default true. */
  feedback: z.boolean().optional(),
  /** Of dp-llm's calibration, as the flags of `dpllm calibrate`. */
  estimator: z.string().optional(),
  synchronous: z.boolean().optional(),
  epochs: count.optional(),
  steps: count.optional(),
})

const calibration = z.strictObject({
  text: file,
  label: label.optional(),
  samples: count.optional(),
  seqLen: count.optional(),
  seed: seed.default(0),
})

const perplexity = z.strictObject({
  label,
  data: file,
  protocol: z.enum(['llama.cpp', 'papers', 'strided']).optional(),
  ctx: count.optional(),
  stride: count.optional(),
  chunks: count.optional(),
  batchSize: count.optional(),
  field: z.string().optional(),
  separator: z.string().optional(),
  documents: count.optional(),
  characters: count.optional(),
  /** Also the divergence from the original. */
  reference: z.boolean().optional(),
})

const task = z.strictObject({
  task: z.string(),
  /** Default: the task's name. */
  label: label.optional(),
  data: file,
  examples: file.optional(),
  shots: z.number().int().min(0).optional(),
  limit: count.optional(),
  maxTokens: count.optional(),
  dynamicScoring: z.boolean().optional(),
})

const requests = z.strictObject({
  label,
  prompts: file,
  requests: count.optional(),
  promptTokens: count.optional(),
  maxTokens: count.optional(),
  temp: z.number().min(0).optional(),
  seed: seed.default(0),
})

const sweepSchema = z
  .strictObject({
    format: z.literal('dpllm-sweep'),
    version: z.literal(1),
    models: list(model).min(1),
    /** `uniform` takes the whole targets, others are calibrated for each budget. */
    methods: list(z.union([z.string(), calibrated])),
    /** Average bits for each weight that profiles may load; a target above its budget is left out. */
    budgets: unique(bits, 'budgets').default([]),
    targets: unique(bits, 'targets').min(1),
    calibration: calibration.optional(),
    perplexity: list(perplexity).default([]),
    tasks: list(task).default([]),
    bits: list(requests).default([]),
    latency: list(requests.extend({ texts: z.number().int().min(0).optional(), overheadRounds: count.optional() })).default([]),
    run: z
      .strictObject({
        backend: z.string().optional(),
        threads: count.optional(),
        arithmetic: z.string().optional(),
        kvCache: z.string().optional(),
      })
      .default({}),
  })
  .transform(({ methods, ...rest }) => ({
    ...rest,
    methods: methods.map((entry) => {
      const method: z.infer<typeof calibrated> = typeof entry === 'string' ? { method: entry } : entry
      return { ...method, label: method.label ?? method.method }
    }),
  }))

/** What one sweep measures; its paths are relative to where it is started. */
export type Sweep = z.infer<typeof sweepSchema>
export type SweepModel = Sweep['models'][number]
export type SweepMethod = Sweep['methods'][number]

/**
 * @param methods that there are: `uniform` and those of calibrations
 * @throws FileFormatError naming the entry
 */
export function parseSweep(json: unknown, name: string, methods: readonly string[]): Sweep {
  const parsed = sweepSchema.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new FileFormatError(name, issue.message, { item: issue.path.join('.') || 'sweep' })
  }
  const wrong = problemOf(parsed.data, methods)
  if (wrong !== undefined) throw new FileFormatError(name, wrong.message, { item: wrong.item })
  return parsed.data
}

/** @throws FileFormatError for a file that is missing or no sweep */
export async function readSweep(path: string, methods: readonly string[]): Promise<Sweep> {
  return parseSweep(await readJson(path), path, methods)
}

/** What no single entry shows. */
function problemOf(sweep: Sweep, known: readonly string[]): { item: string; message: string } | undefined {
  const { models, methods, tasks, perplexity, bits, latency, budgets } = sweep
  const says = (item: string, message: string) => ({ item, message })
  for (const [i, { method }] of methods.entries())
    if (!known.includes(method)) return says(`methods.${i}`, `expected one of ${known.join(', ')}, found ${method}`)
  const names = knownTasks.map(({ name }) => name)
  for (const [i, { task }] of tasks.entries())
    if (!names.includes(task)) return says(`tasks.${i}.task`, `expected one of ${names.join(', ')}, found ${task}`)
  const fresh = methods.some(({ method, profile }) => method !== 'uniform' && profile === undefined)
  if (fresh && sweep.calibration === undefined) return says('calibration', 'expected a text to calibrate the methods on')
  if (fresh && budgets.length === 0) return says('budgets', 'expected at least one for the methods that are calibrated')
  if (perplexity.length + tasks.length + bits.length + latency.length === 0)
    return says('perplexity', 'expected something to measure: perplexity, tasks, bits or latency')
  const needy = perplexity.findIndex(({ reference }) => reference)
  const alone = models.findIndex(({ original }) => original === undefined)
  if (needy >= 0 && alone >= 0)
    return says(`models.${alone}.original`, `expected a folder, since perplexity.${needy} has a reference`)
  for (const [item, names] of [
    ['models', models.map(({ label, tables }) => `${label} ${tables ?? ''}`.trim())],
    ['methods', methods.map(({ label }) => label)],
    ['perplexity', perplexity.map(({ label }) => label)],
    ['tasks', tasks.map(({ task, label }) => label ?? task)],
    ['bits', bits.map(({ label }) => label)],
    ['latency', latency.map(({ label }) => label)],
  ] as const) {
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) return says(item, `expected labels that differ, found ${twice} twice`)
  }
  return undefined
}
