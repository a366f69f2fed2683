import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEnergyMeter } from './energy.js'

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
