import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createEnergySum, openEnergyMeter } from './energy.js'

const folder = mkdtempSync(path.join(tmpdir(), 'dpllm-energy-'))
afterAll(() => rmSync(folder, { recursive: true }))

function setZone(name: string, microjoules: number, range = 1_000_000) {
  mkdirSync(path.join(folder, name), { recursive: true })
  writeFileSync(path.join(folder, name, 'energy_uj'), `${microjoules}\n`)
  writeFileSync(path.join(folder, name, 'max_energy_range_uj'), `${range}\n`)
}

test('adds up sockets, not their parts, and sees counters run over', async () => {
  expect(await openEnergyMeter(folder)).toBeUndefined()
  setZone('intel-rapl:0', 100_000)
  setZone('intel-rapl:1', 900_000)
  setZone('intel-rapl:0:0', 5)
  mkdirSync(path.join(folder, 'intel-rapl:2'))
  const meter = await openEnergyMeter(folder)
  setZone('intel-rapl:0', 350_000)
  setZone('intel-rapl:1', 100_000)
  setZone('intel-rapl:0:0', 999_999)
  expect(await meter?.joules()).toBeCloseTo(0.25 + 0.2, 9)
  expect(await meter?.joules()).toBe(0)
})

test('where there is no meter nothing is opened', async () => {
  expect(await openEnergyMeter(path.join(folder, 'nothing'))).toBeUndefined()
})

test('a sum leaves out what was before it, and reads often enough', async () => {
  let time = 0
  let reads = 0
  const meter = { joules: async () => ++reads }
  const sum = createEnergySum(meter, () => time)
  await sum.begin()
  expect(await sum.joules()).toBe(2)
  time = 4999
  expect(sum.keepUp()).toBeUndefined()
  time = 5000
  await sum.keepUp()
  expect(reads).toBe(3)
  expect(sum.keepUp()).toBeUndefined()
  expect(await sum.joules()).toBe(2 + 3 + 4)
  await sum.begin()
  expect(await sum.joules()).toBe(6)
})
