import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createReferenceBackend } from '@dpllm/core'
import { lowerEstimator, lowerProgram, makePlan } from '@dpllm/core/native'
import { operatorCases, runCase } from '@dpllm/core/testing'

/** Typed arrays, one after another, equal ones once: many cases have the same weights. */
function createDataFile() {
  const places = new Map<string, number>()
  const parts: Uint8Array[] = []
  let size = 0
  const place = (array: ArrayBufferView & { length: number }) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const key = createHash('sha256').update(bytes).digest('hex')
    const at = places.get(key) ?? size
    if (at === size) {
      const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16)
      padded.set(bytes)
      parts.push(padded)
      places.set(key, at)
      size += padded.length
    }
    return { at, length: array.length }
  }
  return {
    replacer: (_: string, value: unknown) => (ArrayBuffer.isView(value) ? place(value as never) : value),
    bytes: () => Buffer.concat(parts),
  }
}

/**
 * Writes operator cases and the results of the reference as cases.json and cases.bin, for machines with a GPU and without
 * Node: device-check/check_cases.cpp runs them.
 * @param only a part of the names of the cases wanted
 * @returns how many there are
 */
export async function exportCases(folder: string, only = ''): Promise<number> {
  const reference = createReferenceBackend()
  const cases = []
  for (const c of operatorCases()) {
    if (!c.name.includes(only)) continue
    const { description, valueIndex } = lowerProgram(c.program, c.weights)
    const results = await runCase(reference, c)
    const steps = c.steps.map((step, i) => {
      const { outputs = ['logits'], tokens, position, rows, targets, policy, inputs } = step
      return {
        plan: makePlan(c.program, valueIndex, outputs),
        tokens,
        position,
        rows: rows ?? Uint32Array.of(tokens.length - 1),
        targets,
        ...(policy && { estimators: policy.estimators.map(lowerEstimator), thresholds: policy.thresholds }),
        inputs: (c.program.inputs ?? []).map((name) => inputs![name]),
        outputs: outputs.flatMap((name) => (c.program.inputs?.includes(name) ? [] : [results[i].outputs[name]])),
        bits: results[i].bits,
        estimates: results[i].estimates,
      }
    })
    const sums = (c.program.accumulators ?? []).map(({ name }) => results[results.length - 1].outputs[name])
    cases.push({ name: c.name, tolerance: c.tolerance.tensor, capacity: c.capacity, description, steps, accumulators: sums })
  }
  const data = createDataFile()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases, data.replacer))
  writeFileSync(join(folder, 'cases.bin'), data.bytes())
  return cases.length
}
