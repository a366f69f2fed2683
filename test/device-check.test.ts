import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { exportCases } from '../packages/cuda-kernels/test/export-cases.js'
import { deviceBenchmark, deviceModels, tinyDeviceModels } from './support/device-models.js'

const script = fileURLToPath(new URL('../packages/cuda-kernels/device-check/device-check.sh', import.meta.url))
const exported = process.env.DPLLM_EXPORT_CASES

const there = (command: string, ...args: string[]) => spawnSync(command, args).status === 0
const usable =
  there('c++', '--version') && there('cmake', '--version') && there('python3', '--version') && there('bash', '-c', ':')

test.skipIf(!exported)('writes the programs to measure to $DPLLM_EXPORT_CASES, for device-check', () => {
  mkdirSync(exported!, { recursive: true })
  writeFileSync(path.join(exported!, 'benchmark.json'), deviceBenchmark(deviceModels))
})

test('the programs to measure have the sizes of their models', () => {
  const { models } = JSON.parse(deviceBenchmark(deviceModels))
  const parameters = models.map(({ programs: [{ weights }] }: { programs: { weights: { rows: number; cols: number }[] }[] }) =>
    weights.reduce((sum, { rows, cols }) => sum + rows * cols, 0),
  )
  expect(parameters[0] / 1e9).toBeCloseTo(8.03, 2)
  expect(parameters[1] / 1e9).toBeCloseTo(13.96, 2)
})

// All of the script but what needs a GPU, on programs of the same operators at tiny sizes.
test.skipIf(!usable)('device-check builds, checks, measures and reports', { timeout: 900_000 }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dpllm-device-check-'))
  try {
    await exportCases(folder, 'rope')
    writeFileSync(path.join(folder, 'benchmark.json'), deviceBenchmark(tinyDeviceModels))
    const benchmark = '--megabytes 1 --context 6 --prefill 8 --tokens 4 --repeats 1'
    const env = { ...process.env, CASES: folder, OUT: folder, BENCHMARK: benchmark, LIMIT: '800' }
    const { status, stdout, stderr } = spawnSync('bash', [script, '--host'], { env, encoding: 'utf8' })
    expect(stderr).not.toMatch(/error/i)
    expect(stdout).toMatch(/device-check passed\n$/)
    expect(status).toBe(0)
    expect(stdout).toMatch(/\n6 cases, 0 failed\n/)
    expect(stdout).toMatch(/\n6 cases, 0 failed, as graphs\n/)
    expect(stdout).not.toContain('NOT finite')

    const found: { kind: string; changed?: number; overhead?: number; average_bits?: number; target?: number }[] = JSON.parse(
      readFileSync(path.join(folder, 'device-check.json'), 'utf8'),
    )
    const count = (kind: string) => found.filter((line) => line.kind === kind).length
    expect({ decode: count('decode'), dynamic: count('dynamic'), prefill: count('prefill'), skipped: count('skipped') }).toEqual({
      decode: 2 * 6,
      dynamic: 2 * 7,
      prefill: 2,
      skipped: 0,
    })
    expect(count('product')).toBeGreaterThanOrEqual(4 * 6 * 5)
    for (const { changed, average_bits, target } of found.filter(({ kind }) => kind === 'dynamic')) {
      expect(changed).toBeGreaterThan(0.2)
      expect(Math.abs(average_bits! - target!)).toBeLessThan(0.3)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
