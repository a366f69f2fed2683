import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError } from '@dpllm/core'
import { exists, readError, readJson } from '@dpllm/core/node'
import { z } from 'zod'
import { sweepFiles } from './sweep-files.js'
import { keySchema, parseSweepResult, type SweepResult } from './sweep-result.js'

/** `plan.json`: the jobs of the sweep that was last started on a folder, in the order of its file. */
export const planSchema = z.object({ format: z.literal('dpllm-sweep-plan'), version: z.literal(1), jobs: z.array(keySchema) })

/** What a sweep's folder holds. */
export interface SweepResults {
  /** Of the jobs of the sweep that was last started here, in the order of its file; results of earlier ones are left out. */
  readonly results: readonly SweepResult[]
  /** Keys of those of its jobs that have no result yet. */
  readonly missing: readonly string[]
}

/**
 * Reads the results of a sweep, finished or not.
 * @param folder the sweep's; or any folder whose `results` holds files of results, which then come by name
 * @throws FileFormatError for a folder without results or a file that is not one; UnsupportedError for newer ones
 */
export async function readSweepResults(folder: string): Promise<SweepResults> {
  const { plan, results } = sweepFiles(folder)
  const found = await resultKeys(results)
  const wanted = (await exists(plan)) ? await plannedKeys(plan) : found
  const there = new Set(found)
  const read: SweepResult[] = []
  for (const key of wanted) if (there.has(key)) read.push(await readResult(path.join(results, `${key}.json`), key))
  return { results: read, missing: wanted.filter((key) => !there.has(key)) }
}

async function resultKeys(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => !name.startsWith('.') && name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
  } catch (error) {
    throw readError(folder, error)
  }
}

async function plannedKeys(file: string): Promise<string[]> {
  const parsed = planSchema.safeParse(await readJson(file))
  if (parsed.success) return parsed.data.jobs
  throw new FileFormatError(file, parsed.error.issues[0].message, { item: parsed.error.issues[0].path.join('.') })
}

async function readResult(file: string, key: string): Promise<SweepResult> {
  const result = parseSweepResult(await readJson(file), file)
  if (result.key !== key) throw new FileFormatError(file, `is the result of ${result.key}`, { item: 'key' })
  return result
}
