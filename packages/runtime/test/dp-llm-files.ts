import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createRandom, toFloat16 } from '@dpllm/core'
import { dict, float, int, numpy, type PythonValue, storage, tensor, tuple } from './torch-save/python-values.js'
import { torchSave } from './torch-save/torch-save.js'

/** What DP-LLM found for a linear at a target. */
export interface Found {
  /** Most bits under the budget. */
  readonly maxBits: number
  /** Average precision; −1 where maxBits is 3. */
  readonly p: number
  /** Threshold; anything where p is whole. */
  readonly threshold: number
  /** Regression of the error on ‖x‖. */
  readonly slope: number
  readonly intercept: number
  readonly r: number
  readonly cols: number
}

/** The matrix of a linear's projection, f16 bits [64, cols]; zero where there is nothing to decide. */
export function projectionOf(key: string, { p, cols }: Found): Uint16Array {
  if (Number.isInteger(p)) return new Uint16Array(64 * cols)
  const random = createRandom([...key].reduce((sum, c) => 31 * sum + c.charCodeAt(0), Math.floor(p)) >>> 0)
  return toFloat16(Float32Array.from({ length: 64 * cols }, () => 0.05 * random.normal()))
}

/** Names of the files of a target. */
export const finetunedName = (budget: string, target: string) =>
  `finetuned_max${budget}_3b-6b_th_pb_train_0.01_1.0_5ep_targ${target}b_init_0-1000_adam.pt`

/** The dicts of DP-LLM, as its code saves them. @param linears by key, written `0.q_proj` */
export function dpLlmFiles(linears: ReadonlyMap<string, Found>, budget = '5.0', target = '3.5'): Record<string, PythonValue> {
  const np = numpy()
  const byKey = (of: (found: Found, key: string) => PythonValue) =>
    dict(
      [...linears].map(([key, found]) => {
        const [block, name] = key.split('.')
        return [tuple(int(Number(block)), name), of(found, key)] as const
      }),
    )
  const pair = ({ p }: Found) => [int(Math.floor(p)), int(Math.ceil(p))] as const
  const maxBits = byKey(({ maxBits: bits }) => int(bits))
  return {
    'max_mem_dict.pt': maxBits,
    [finetunedName(budget, target)]: tuple(
      byKey(({ p }) => (p === -1 ? int(-1) : float(p))),
      maxBits,
    ),
    'T_d.pt': byKey((found) => {
      const { p, threshold } = found
      const value =
        p === -1 ? storage('i64', BigInt64Array.of(1n)) : storage('f32', Float32Array.of(Number.isInteger(p) ? 1 : threshold))
      return tuple(...pair(found), tensor(value, []))
    }),
    'linear_reg_d.pt': byKey((found) => tuple(np.f64(found.slope), np.f64(found.intercept), np.f64(found.r), ...pair(found))),
    'jl_d.pt': byKey((found, key) => {
      const tuned = !Number.isInteger(found.p)
      const data = storage('f16', projectionOf(key, found), tuned ? 'cuda:0' : 'cpu')
      return tensor(data, [64, found.cols], { requiresGrad: tuned })
    }),
  }
}

/** Writes such files into a new folder. */
export async function writeDpLlmFolder(folder: string, files: Record<string, PythonValue | undefined>): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, value] of Object.entries(files)) {
    // As torch before version 2.1: no byte order.
    if (value !== undefined) await writeFile(path.join(folder, name), torchSave(value, { byteorder: false }))
  }
}
