import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, type FloatTensor, firstNonFinite, type Tensor, toFloat32, typedArray } from '@dpllm/core'
import { describeValue, ofKind, type PickleValue } from '../torch/pickle/pickle-values.js'
import { readScalar } from '../torch/read-scalar.js'
import { openTorchFile, type TorchFile } from '../torch/torch-file.js'
import { keyedDict } from './keyed-dict.js'

/** Two bit counts; −1 and −1 where DP-LLM had nothing to decide. */
export interface BitPair {
  readonly low: number
  readonly high: number
}

/** What the files of one target say, by module of our model. */
export interface DpLlmArtefacts {
  /** max_mem_dict.pt: bits that the memory budget allows. */
  readonly maxBits: ReadonlyMap<string, number>
  /** finetuned_*.pt: average precision p; −1 where the budget leaves nothing to decide. */
  readonly averageBits: ReadonlyMap<string, number>
  /** T_d.pt: may be infinite; means nothing where low = high. */
  readonly thresholds: ReadonlyMap<string, BitPair & { readonly threshold: number }>
  /** linear_reg_d.pt: error ≈ slope · ‖x‖ + intercept, with the correlation r. */
  readonly regressions: ReadonlyMap<string, BitPair & { readonly slope: number; readonly intercept: number; readonly r: number }>
  /** What the name of finetuned_*.pt says of budget and target, in bits. */
  readonly named: { readonly memoryBudget?: number; readonly targetBits?: number }
}

/**
 * Reads the files of DP-LLM for one target, but for jl_d.pt.
 * @param moduleOf `modulesByKey`
 * @throws FileFormatError naming file and key
 */
export async function readArtefacts(folder: string, moduleOf: ReadonlyMap<string, string>): Promise<DpLlmArtefacts> {
  const finetuned = await finetunedFile(folder)
  const read = <T>(name: string, convert: (value: PickleValue, fail: Fail, file: TorchFile) => Promise<T>, select?: Select) =>
    readDict(path.join(folder, name), moduleOf, convert, select)
  return {
    maxBits: await read('max_mem_dict.pt', number),
    averageBits: await read(finetuned, number, averageOf),
    thresholds: await read('T_d.pt', async (value, fail, file) => {
      const [low, high, threshold] = await numbers(value, 3, fail, file)
      return { low, high, threshold }
    }),
    regressions: await read('linear_reg_d.pt', async (value, fail, file) => {
      const [slope, intercept, r, low, high] = await numbers(value, 5, fail, file)
      return { slope, intercept, r, low, high }
    }),
    named: namedBits(finetuned),
  }
}

/**
 * Reads matrices of jl_d.pt.
 * @param columns of the matrix of each module wanted
 * @returns f32 [k, columns]
 * @throws FileFormatError naming the key
 */
export async function readProjections(
  folder: string,
  moduleOf: ReadonlyMap<string, string>,
  columns: ReadonlyMap<string, number>,
): Promise<Map<string, Tensor<'f32'>>> {
  await using file = await openTorchFile(path.join(folder, 'jl_d.pt'))
  const found = keyedDict(file.value, file.path, moduleOf)
  const projections = new Map<string, Tensor<'f32'>>()
  for (const [module, cols] of columns) {
    const fail: Fail = (message) => new FileFormatError(file.path, message, { item: module })
    const matrix = found.get(module) ?? null
    if (!ofKind(matrix, 'tensor')) throw fail(`expected a tensor, found ${describeValue(matrix)}`)
    const { dtype, shape, elements } = matrix
    if ((dtype !== 'f16' && dtype !== 'f32' && dtype !== 'bf16') || shape.length !== 2 || shape[1] !== cols || elements === 0) {
      throw fail(`expected f16 [k,${cols}], found ${dtype} [${shape}]`)
    }
    const data = typedArray(dtype, await file.readElements(matrix, 0, elements, { item: module }), 0, elements)
    const tensor = { dtype, shape, data } as FloatTensor
    const bad = firstNonFinite(tensor)
    if (bad >= 0) throw fail(`element ${bad} is not a finite number`)
    projections.set(module, { dtype: 'f32', shape, data: toFloat32(tensor) })
  }
  return projections
}

type Fail = (message: string) => FileFormatError
type Select = (value: PickleValue, file: string) => PickleValue

async function readDict<T>(
  file: string,
  moduleOf: ReadonlyMap<string, string>,
  convert: (value: PickleValue, fail: Fail, file: TorchFile) => Promise<T>,
  select: Select = (value) => value,
): Promise<Map<string, T>> {
  await using torch = await openTorchFile(file)
  const out = new Map<string, T>()
  for (const [module, value] of keyedDict(select(torch.value, file), file, moduleOf)) {
    out.set(module, await convert(value, (message) => new FileFormatError(file, message, { item: module }), torch))
  }
  return out
}

async function number(value: PickleValue, fail: Fail, file: TorchFile): Promise<number> {
  const found = await readScalar(file, value)
  if (found === undefined) throw fail(`expected a number, found ${describeValue(value)}`)
  return found
}

async function numbers(value: PickleValue, count: number, fail: Fail, file: TorchFile): Promise<number[]> {
  if (!ofKind(value, 'tuple') || value.items.length !== count) {
    throw fail(`expected a tuple of ${count}, found ${describeValue(value)}`)
  }
  const found: number[] = []
  for (const item of value.items) found.push(await number(item, fail, file))
  return found
}

/** finetuned_*.pt holds (p by key, maximum bits by key). */
function averageOf(value: PickleValue, file: string): PickleValue {
  if (ofKind(value, 'tuple') && value.items.length === 2) return value.items[0]
  throw new FileFormatError(file, `expected a tuple of two dicts, found ${describeValue(value)}`)
}

async function finetunedFile(folder: string): Promise<string> {
  const names = await readdir(folder).catch((cause) => {
    throw new FileFormatError(folder, 'is no folder that can be read', { cause })
  })
  const found = names.filter((name) => /^finetuned_.*\.pt$/.test(name))
  if (found.length === 1) return found[0]
  throw new FileFormatError(folder, `expected one file finetuned_*.pt (of one target), found ${found.length}`)
}

/** DP-LLM's name: finetuned_max5.0_3b-6b_th_pb_train_0.01_1.0_5ep_targ3.5b_init_0-1000_adam.pt. */
function namedBits(name: string): DpLlmArtefacts['named'] {
  const bits = (pattern: RegExp) => {
    const found = Number(pattern.exec(name)?.[1] ?? Number.NaN)
    return Number.isFinite(found) ? found : undefined
  }
  const [memoryBudget, targetBits] = [bits(/_max(\d+(?:\.\d+)?)_/), bits(/_targ(\d+(?:\.\d+)?)b_/)]
  return { ...(memoryBudget === undefined ? {} : { memoryBudget }), ...(targetBits === undefined ? {} : { targetBits }) }
}
