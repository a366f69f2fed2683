import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError, type Tensor, toFloat16, toFloat32, UnsupportedError } from '@dpllm/core'
import { type TensorEntry, writeSafetensors } from '@dpllm/core/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  adaptiveMap,
  budgetProfile,
  linearInfo,
  projectionEstimator,
  residualWidth,
  staticProfile,
  thresholdProfile,
} from '../precision/testing/example-profiles.js'
import type { Profile } from './profile.js'
import { readProfile, readProfileData } from './read-profile.js'
import { writeProfile } from './write-profile.js'

// b is wider than the residual stream, d has nothing to choose from.
const linears = [linearInfo('a'), linearInfo('b', { cols: 6 }), linearInfo('c', { maxBits: 4 }), linearInfo('d', { maxBits: 3 })]
const model = adaptiveMap(linears)
const probe = {
  kind: 'probe' as const,
  weights: { dtype: 'f32' as const, shape: [4], data: Float32Array.of(1, 2, 3, 0.1) },
  bias: 0.3,
}

const projected = thresholdProfile(linears, { estimatorOf: projectionEstimator, selectInputs: 'asynchronous' })
const matrix = { dtype: 'f32' as const, shape: [1, 4], data: Float32Array.of(1, -0.5, 0, 2) }
const fixed: Profile = {
  ...projected,
  tensors: new Map([['a.3-4.projection', matrix]]),
  data: {
    ...projected.data,
    policy: {
      kind: 'fixed',
      selectInputs: 'asynchronous',
      estimator: 'projection',
      targets: [
        {
          targetBits: 3.5,
          measuredBits: 3.5,
          linears: {
            a: { low: 3, high: 4, threshold: 2 },
            b: { low: 3, high: 4, threshold: 2, estimator: { kind: 'linear', slope: 0.5, intercept: -1 } },
            c: { low: 3, high: 4, threshold: 4, estimator: { kind: 'exact' } },
            d: { low: 3, high: 3, threshold: null },
          },
        },
      ],
    },
  },
}
const profiles: Record<string, Profile> = {
  static: staticProfile(linears),
  projections: projected,
  probes: thresholdProfile(linears, { estimatorOf: () => probe, selectInputs: 'residual' }),
  budget: budgetProfile(linears),
  fixed,
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-profile-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = (name: string, extension = 'json') => path.join(folder, 'profiles', `${name}.${extension}`)

/** As the file holds it. */
function rounded(tensors: Profile['tensors']): Map<string, Tensor<'f32'>> {
  return new Map(
    [...tensors].map(([name, { shape, data }]) => {
      const half = { dtype: 'f16' as const, shape, data: toFloat16(data) }
      return [name, { dtype: 'f32', shape, data: name.endsWith('.projection') ? toFloat32(half) : data }]
    }),
  )
}

test.each(Object.entries(profiles))('%s: read as written, with projections of f16', async (name, profile) => {
  await writeProfile(folder, { ...profile, name })
  const read = await readProfile(folder, name, model)
  expect(read).toEqual({ name, data: profile.data, tensors: rounded(profile.tensors) })
  expect(await readProfile(folder, name)).toEqual(read)
  expect(await readProfileData(folder, name)).toEqual(profile.data)
  const files = await readdir(path.join(folder, 'profiles'))
  expect(files).toEqual(name === 'static' ? ['static.json'] : [`${name}.json`, `${name}.safetensors`])
  // What policies use is what the file says, not what it was written from.
  if (name === 'projections') expect(read.tensors).not.toEqual(profile.tensors)
})

test('format 1 is read as fixed thresholds, estimated from the linears own inputs', async () => {
  await writeProfile(folder, { ...fixed, name: 'old' })
  const { policy, ...others } = fixed.data
  if (policy.kind !== 'fixed') throw new Error(policy.kind)
  const old = { ...others, format: 1, estimator: 'projection', targets: policy.targets }
  await writeFile(file('old'), JSON.stringify(old))
  const read = await readProfile(folder, 'old', model)
  expect(read).toEqual({
    name: 'old',
    tensors: fixed.tensors,
    data: { ...fixed.data, policy: { ...policy, selectInputs: 'own' } },
  })

  await writeFile(file('old'), JSON.stringify({ ...old, estimator: undefined }))
  await expect(readProfile(folder, 'old', model)).rejects.toThrow(/old\.json: estimator/)
})

test('writing refuses what reading would, and leaves nothing behind', async () => {
  const huge = { ...matrix, data: Float32Array.of(1, 70000, 0, 0) }
  const nan = { ...probe.weights, data: Float32Array.of(1, Number.NaN, 0, 0) }
  const { data, tensors } = fixed
  await expect(writeProfile(folder, { name: 'x', data, tensors: new Map([['a.3-4.projection', huge]]) })).rejects.toThrow(
    /a\.3-4\.projection: expected numbers that are finite in F16/,
  )
  await expect(writeProfile(folder, { name: 'x', data, tensors: new Map([['a.probe', nan]]) })).rejects.toThrow(
    InvalidArgumentError,
  )
  const wrong = { ...data, policy: { ...data.policy, selectInputs: 'later' } } as unknown as Profile['data']
  await expect(writeProfile(folder, { name: 'x', data: wrong, tensors })).rejects.toThrow(/data\.policy\.selectInputs/)
  expect(await readdir(folder)).toEqual([])
})

test('newer formats are said to be newer', async () => {
  await writeProfile(folder, { ...projected, name: 'x' })
  await writeFile(file('x'), JSON.stringify({ ...projected.data, format: 3 }))
  await expect(readProfile(folder, 'x')).rejects.toThrow(UnsupportedError)
  const text = JSON.stringify(projected.data).replace('"version":1', '"version":2')
  await writeFile(file('x'), text)
  await expect(readProfile(folder, 'x', model)).rejects.toThrow(UnsupportedError)
})

/** Which profile, what is changed in its JSON, and what the error names. */
const changes: [profile: string, from: string | RegExp, to: string, message: RegExp][] = [
  ['static', '"format":2', '"format":0', /format/],
  ['static', '"kind":"static"', '"kind":"cubic"', /policy/],
  ['static', '"maxBits":{"a":5', '"maxBits":{"z":5', /\(z\)|z: is no linear/],
  ['static', '"maxBits":{"a":5', '"maxBits":{"a":2', /a: expected at least 3 bits in maxBits, found 2/],
  ['static', '"targetBits":4.5', '"targetBits":3', /policy\.allocations: expected targets that ascend/],
  ['static', '"targetBits":4.5', '"targetBits":1e999', /policy\.allocations\.1\.targetBits/],
  ['static', /"allocations":\[.*\]/, '"allocations":[]', /policy\.allocations/],
  ['static', '"bits":{"a":3', '"bits":{"a":6', /a: expected 3 to 5 bits at target 3\.25, found 6/],
  ['static', '"bits":{"a":3', '"bits":{"z":3', /a: expected 3 to 5 bits at target 3\.25, found undefined/],
  ['projections', '"selectInputs":"asynchronous"', '"selectInputs":"later"', /policy\.selectInputs/],
  ['projections', '"shift":0.01', '"shift":null', /policy\.targets\.0\.shift/],
  ['projections', '"averageBits":{"a":3.75', '"averageBits":{"a":"x"', /policy\.targets\.0\.averageBits\.a/],
  ['projections', '"averageBits":{"a":3.75', '"averageBits":{"z":3.75', /a: expected averageBits at target 3\.5, found none/],
  ['projections', '"format":"dpllm-estimators"', '"format":"others"', /policy\.estimators\.format/],
  ['projections', '"name":"a"', '"name":"z"', /z: is no linear of this model/],
  ['projections', '"name":"a"', '"name":"b"', /a: expected estimators, found none/],
  ['projections', '"name":"b","cols":6', '"name":"b","cols":4', /b: expected estimators of 6 inputs, found 4/],
  ['projections', '"low":3,"high":4', '"low":2,"high":4', /a: expected pairs within 3 to 5 bits, found 2\|4/],
  ['projections', '"low":4,"high":5', '"low":4,"high":6', /a: expected pairs within 3 to 5 bits, found 4\|6/],
  ['projections', '"low":4,"high":5', '"low":3,"high":5', /a: expected a pair from 4 bits on, found 3\|5/],
  ['projections', /"cols":4,"pairs":\[.*?\]/, '"cols":4,"pairs":[]', /a: expected estimators for 3 to 5 bits, found none/],
  ['projections', '"kind":"projection"', '"kind":"cubic"', /policy\.estimators|linears\[0\]\.pairs\[0\]\.estimator\.kind/],
  ['projections', '"kind":"projection"', '"kind":"linear","slope":1e999,"intercept":0', /slope/],
  ['probes', '"bias":0.3', '"bias":"x"', /bias/],
  ['probes', '"name":"b","cols":4', '"name":"b","cols":6', /b: expected estimators of 4 inputs, found 6/],
  ['probes', /("name":"b".*?)"kind":"probe","bias":0\.3/, '$1"kind":"exact"', /b: expected no exact estimator/],
  ['budget', '"logPrice":-1', '"logPrice":2', /policy\.prices: expected prices that fall/],
  ['budget', '"logPrice":-1', '"logPrice":null', /policy\.prices\.1\.logPrice/],
  ['budget', '"errors":[1,', '"errors":[-1,', /policy\.linears\.0\.errors\.0/],
  ['budget', '"errors":[1,', '"errors":[1,1,', /a: expected errors of 3 to 5 bits, found them of 3 to 6/],
  ['budget', '"minBits":3', '"minBits":2', /a: expected errors of 3 to 5 bits, found them of 2 to 4/],
  ['budget', '"name":"a"', '"name":"z"', /z: is no linear of this model/],
  ['budget', '"name":"a"', '"name":"b"', /a: expected a table of errors, found none/],
  ['fixed', '"low":3,"high":4', '"low":3,"high":6', /a: expected 3 <= low <= high <= 5 at target 3\.5/],
  ['fixed', '"threshold":null', '"threshold":1', /d: expected a threshold where low and high differ and nowhere else/],
  ['fixed', /"asynchronous"(.*)"kind":"linear"/, '"residual"$1"kind":"exact"', /b: expected no exact estimator/],
  [
    'fixed',
    /"asynchronous","estimator":"projection"(.*?),"estimator":{"kind":"linear".*?}/,
    '"residual","estimator":"exact"$1',
    /b: expected no exact/,
  ],
  ['fixed', '"kind":"linear"', '"kind":"cubic"', /policy\.targets\.0\.linears\.b\.estimator/],
  ['fixed', '"slope":0.5', '"slope":null', /policy\.targets\.0\.linears\.b\.estimator\.slope/],
]

test.each(changes)('%s: %s → %s is refused', async (name, from, to, message) => {
  await writeProfile(folder, { ...profiles[name], name })
  const text = JSON.stringify(profiles[name].data)
  const changed = text.replace(from, to)
  expect(changed).not.toBe(text)
  await writeFile(file(name), changed)
  const error = await readProfile(folder, name, model).catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toMatch(message)
  expect(error.message).toContain(file(name))
})

test('a linear that is there twice is refused', async () => {
  for (const name of ['projections', 'budget']) {
    const data = structuredClone(profiles[name].data) as { policy: Record<string, unknown> }
    const list = (name === 'budget' ? data.policy : data.policy.estimators) as { linears: unknown[] }
    list.linears.push(list.linears[0])
    await writeProfile(folder, { ...profiles[name], name })
    await writeFile(file(name), JSON.stringify(data))
    await expect(readProfile(folder, name, model)).rejects.toThrow(/a: expected every linear once/)
  }
})

/** Which tensor of which profile, what it is changed to, and what the error says of it. */
const tensors: [profile: string, tensor: string, changed: Tensor | undefined, message: RegExp][] = [
  ['projections', 'a.3-4.projection', undefined, /missing/],
  ['projections', 'a.3-4.projection', f32([2, 4]), /expected f16 \[k,4\], found f32 \[2,4\]/],
  ['projections', 'a.3-4.projection', f16([2, 6]), /expected f16 \[k,4\], found f16 \[2,6\]/],
  ['projections', 'a.3-4.projection', f16([4097, 4]), /expected f16 \[k,4\]/],
  ['projections', 'a.3-4.projection', f16([8]), /expected f16 \[k,4\]/],
  ['projections', 'a.3-4.projection', f16([2, 4], 0x7e00), /element 0 is not a finite number/],
  ['projections', 'a.3-4.quantiles', f32([256]), /expected f32 \[257\], found f32 \[256\]/],
  ['projections', 'a.3-4.quantiles', f32([257], Number.NaN), /element 0 is not a finite number/],
  ['projections', 'a.3-4.quantiles', f32([257], 1), /do not descend/],
  ['probes', 'a.3-4.probe', f32([5]), /expected f32 \[4\], found f32 \[5\]/],
  ['budget', 'b.probe', f32([6]), new RegExp(`expected f32 \\[${residualWidth}\\], found f32 \\[6\\]`)],
  ['budget', 'b.probe', f32([4], Number.POSITIVE_INFINITY), /element 0 is not a finite number/],
  ['fixed', 'a.3-4.projection', f16([1, 5]), /expected f16 \[k,4\], found f16 \[1,5\]/],
]

test.each(tensors)('%s: %s is checked', async (name, tensor, changed, message) => {
  const profile = { ...profiles[name], name }
  await writeProfile(folder, profile)
  const entries = [...profile.tensors].flatMap(([key, value]): TensorEntry[] => {
    if (key === tensor) return changed === undefined ? [] : [{ name: key, ...changed } as TensorEntry]
    const { shape, data } = value
    return [key.endsWith('.projection') ? { name: key, dtype: 'f16', shape, data: toFloat16(data) } : { name: key, ...value }]
  })
  await writeSafetensors(file(name, 'safetensors'), entries)
  const error = await readProfile(folder, name, model).catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toContain(tensor)
  expect(error.message).toMatch(message)
})

/** Zeros after a first element. */
function f32(shape: number[], first = 0): Tensor<'f32'> {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  data[0] = first
  return { dtype: 'f32', shape, data }
}

function f16(shape: number[], first = 0): Tensor<'f16'> {
  const data = new Uint16Array(shape.reduce((a, b) => a * b, 1))
  data[0] = first
  return { dtype: 'f16', shape, data }
}
