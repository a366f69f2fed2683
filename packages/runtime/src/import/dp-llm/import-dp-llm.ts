import path from 'node:path'
import { FileFormatError, InvalidArgumentError, MIN_BITS, type OnProgress, type Tensor } from '@dpllm/core'
import { readModelConfig } from '../../config/read-config.js'
import { decoderProgram } from '../../models/decoder.js'
import { meanBits } from '../../precision/mean-bits.js'
import { type AdaptiveLinear, adaptiveLinears } from '../../profile/adaptive-linears.js'
import { checkProfile } from '../../profile/check-profile.js'
import type { DecisionData, FixedTargetData } from '../../profile/fixed-schema.js'
import { checkProfileName, listProfiles, type Profile, profileFiles, projectionName } from '../../profile/profile.js'
import { writeProfile } from '../../profile/write-profile.js'
import { decide, type EstimatorKind } from './decide.js'
import { modulesByKey } from './keyed-dict.js'
import { type DpLlmArtefacts, readArtefacts, readProjections } from './read-artefacts.js'

export interface ImportDpLlmOptions {
  /**
   * Folder with the files of DP-LLM for one target: max_mem_dict.pt, T_d.pt, linear_reg_d.pt, jl_d.pt and
   * finetuned_*.pt; or several, for targets of the same memory budget.
   */
  readonly source: string | readonly string[]
  /** Folder of the quantized model that they are for; the profile is written into it. */
  readonly model: string
  /** Name of the profile; default dp-llm-BUDGET-imported. */
  readonly name?: string | undefined
  /** Replace a profile of that name. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Called after every folder. */
  readonly onProgress?: OnProgress | undefined
}

/** What was imported. */
export interface ImportedProfile {
  readonly profile: Profile
  /** The profile's JSON. */
  readonly path: string
  /** At each target, how many linears decide by what. */
  readonly estimators: readonly (Readonly<Record<EstimatorKind, number>> & { readonly targetBits: number })[]
}

/**
 * Makes an adaptation profile of what DP-LLM's code found for a model: its thresholds, pairs of bit counts and
 * estimators, which see what DP-LLM's see (`asynchronous`). Its thresholds are quantiles of exact errors, not of estimates:
 * so measure the effective bits.
 * @throws FileFormatError naming file and module; InvalidArgumentError for folders of several budgets, or a profile that
 * is there already
 */
export async function importDpLlm(options: ImportDpLlmOptions): Promise<ImportedProfile> {
  const { model, overwrite = false, signal, onProgress } = options
  const sources = typeof options.source === 'string' ? [options.source] : options.source
  const [first] = sources
  if (first === undefined) throw new InvalidArgumentError('source', 'at least one folder', 'none')
  if (options.name !== undefined) checkProfileName(options.name)
  const linears = await readLinears(model)
  const moduleOf = modulesByKey(linears.keys(), model)

  const targets: FixedTargetData[] = []
  const projections = new Map<string, Tensor<'f32'>>()
  const estimators: ImportedProfile['estimators'][number][] = []
  let budget: { maxBits: Record<string, number>; memoryBudget: number } | undefined
  for (const [i, folder] of sources.entries()) {
    signal?.throwIfAborted()
    const artefacts = await readArtefacts(folder, moduleOf)
    const found = budgetOf(artefacts, linears, folder)
    budget ??= found
    if (JSON.stringify(budget.maxBits) !== JSON.stringify(found.maxBits)) {
      throw new InvalidArgumentError('source', `folders of one memory budget, as that of ${first}`, folder)
    }
    const { target, kinds } = targetOf(artefacts, linears, folder)
    if (targets.some(({ targetBits }) => targetBits === target.targetBits)) {
      throw new InvalidArgumentError('source', 'every target once', `${target.targetBits} again in ${folder}`)
    }
    await addProjections(projections, target, kinds, linears, folder, moduleOf)
    targets.push(target)
    estimators.push({ targetBits: target.targetBits, ...countKinds(kinds.values()) })
    onProgress?.({ stage: 'import', done: i + 1, total: sources.length, unit: 'targets' })
  }

  const { maxBits, memoryBudget } = budget!
  const name = options.name ?? `dp-llm-${memoryBudget}-imported`
  const profile: Profile = {
    name,
    tensors: projections,
    data: {
      format: 2,
      method: 'dp-llm',
      memoryBudget,
      maxBits,
      policy: {
        kind: 'fixed',
        selectInputs: 'asynchronous',
        estimator: 'projection',
        targets: targets.sort((a, b) => a.targetBits - b.targetBits),
      },
      provenance: { importedFrom: 'files of DP-LLM', measuredBits: 'mean of p, not measured' },
    },
  }
  checkProfile(profile.data, first, linears)
  if (!overwrite && (await listProfiles(model)).includes(name)) {
    throw new InvalidArgumentError('name', 'a profile that is not there yet, or overwrite', name)
  }
  signal?.throwIfAborted()
  await writeProfile(model, profile)
  return { profile, path: profileFiles(model, name).json, estimators }
}

async function readLinears(model: string): Promise<Map<string, AdaptiveLinear>> {
  const config = await readModelConfig(model)
  if (config.quantization === undefined) throw new InvalidArgumentError('model', 'a quantized model', model)
  return adaptiveLinears(decoderProgram(config), config)
}

/** The most bits of every linear, and their mean where the file's name does not say the budget. */
function budgetOf({ maxBits, named }: DpLlmArtefacts, linears: ReadonlyMap<string, AdaptiveLinear>, folder: string) {
  const bits = Object.fromEntries(
    [...linears].map(([module, linear]) => {
      const most = maxBits.get(module)
      const fail = (message: string) => new FileFormatError(path.join(folder, 'max_mem_dict.pt'), message, { item: module })
      if (most === undefined) throw fail('has no entry for this linear of the model')
      if (!linear.bits.includes(most)) throw fail(`expected one of ${linear.bits} bits, which the model has, found ${most}`)
      return [module, most]
    }),
  )
  return { maxBits: bits, memoryBudget: named.memoryBudget ?? round(meanOf(linears, (module) => bits[module])) }
}

function targetOf(artefacts: DpLlmArtefacts, linears: ReadonlyMap<string, AdaptiveLinear>, folder: string) {
  const kinds = new Map<string, EstimatorKind>()
  const decisions: Record<string, DecisionData> = {}
  for (const module of linears.keys()) {
    const { decision, kind } = decide(module, artefacts, folder)
    decisions[module] = decision
    kinds.set(module, kind)
  }
  const expected = meanOf(linears, (module) => {
    const p = artefacts.averageBits.get(module)
    if (p === undefined || !(p === -1 || (p >= MIN_BITS && p <= 8))) {
      throw new FileFormatError(folder, `expected p from ${MIN_BITS} to 8, or -1, in finetuned_*.pt, found ${p}`, {
        item: module,
      })
    }
    return p === -1 ? MIN_BITS : p
  })
  const targetBits = artefacts.named.targetBits ?? round(expected)
  return { target: { targetBits, measuredBits: expected, linears: decisions }, kinds }
}

/** Adds the matrices that a target needs; those of one pair of bit counts are the same at all targets. */
async function addProjections(
  projections: Map<string, Tensor<'f32'>>,
  target: FixedTargetData,
  kinds: ReadonlyMap<string, EstimatorKind>,
  linears: ReadonlyMap<string, AdaptiveLinear>,
  folder: string,
  moduleOf: ReadonlyMap<string, string>,
): Promise<void> {
  const columns = new Map(
    [...linears].flatMap(([module, { cols }]) => (kinds.get(module) === 'projection' ? [[module, cols]] : [])),
  )
  for (const [module, matrix] of await readProjections(folder, moduleOf, columns)) {
    const { low, high } = target.linears[module]
    const key = projectionName(module, low, high)
    const known = projections.get(key)
    if (
      known !== undefined &&
      !(known.shape.join() === matrix.shape.join() && known.data.every((v, i) => v === matrix.data[i]))
    ) {
      throw new FileFormatError(
        path.join(folder, 'jl_d.pt'),
        `is not the matrix of the other targets for ${low} and ${high} bits`,
        {
          item: module,
        },
      )
    }
    projections.set(key, matrix)
  }
}

function countKinds(kinds: Iterable<EstimatorKind>): Record<EstimatorKind, number> {
  const counts = { none: 0, linear: 0, projection: 0 }
  for (const kind of kinds) counts[kind]++
  return counts
}

function meanOf(linears: ReadonlyMap<string, AdaptiveLinear>, bitsOf: (module: string) => number): number {
  const weighted = Array.from(linears.values(), ({ rows, cols }) => ({ weights: rows * cols }))
  return meanBits(weighted, Array.from(linears.keys(), bitsOf))
}

/** To two decimals, as bits are asked for. */
function round(bits: number): number {
  return Math.round(100 * bits) / 100
}
