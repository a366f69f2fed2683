import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand, startCommand } from '../testing/run-command.js'

const fixtures = useFixtures()

test('quantize, inspect, calibrate, run at a target', async () => {
  const out = path.join(fixtures.folder, 'walk')
  const quantized = await runCommand(['quantize', fixtures.original, '-o', out, '--bits', '3-6', '--json', '-q'])
  expect(quantized).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(quantized.stdout).modules).toHaveLength(2 * 7 + 1)

  const calibrated = await runCommand([
    'calibrate',
    out,
    '--calib',
    fixtures.text,
    '--memory-budget',
    '5',
    '--target',
    '3.5,4',
    '--seq-len',
    '32',
    '--backend',
    'reference',
    '--json',
    '-q',
  ])
  expect(calibrated).toMatchObject({ code: 0, stderr: '' })
  const { targets } = JSON.parse(calibrated.stdout)
  expect(targets.map((t: { targetBits: number }) => t.targetBits)).toEqual([3.5, 4])
  expect(Math.abs(targets[0].measuredBits - 3.5)).toBeLessThan(0.1)

  const inspected = await runCommand(['inspect', out])
  expect(inspected.stdout).toMatch(/\| model\.layers\.0\.self_attn\.q_proj +\| +32 × 32 \| +3-6 \|/)
  expect(inspected.stdout).toMatch(/\| budget-5 \| budget \| +5 \|/)
  const { matrices, profiles } = JSON.parse((await runCommand(['inspect', out, '--json'])).stdout)
  expect(matrices.find((m: { module: string }) => m.module === 'lm_head')).toMatchObject({
    bits: [3, 4, 5, 6, 7, 8],
    dtype: 'bit-planes',
  })
  expect(Object.keys(profiles[0].maxBits)).toHaveLength(14)

  const ran = await runCommand([
    'run',
    out,
    '-p',
    'the',
    '-n',
    '40',
    '--temp',
    '0',
    '--target-bits',
    '3.5',
    '--backend',
    'reference',
    '--json',
    '-q',
  ])
  const { effectiveBits } = JSON.parse(ran.stdout)
  expect(effectiveBits).toBeGreaterThan(3)
  expect(effectiveBits).toBeLessThan(4)

  const evaluated = await runCommand([
    'eval',
    'ppl',
    out,
    '--data',
    fixtures.text,
    '--ctx',
    '32',
    '--method',
    'budget',
    '--target-bits',
    '3.5',
    '--backend',
    'reference',
    '--json',
    '-q',
  ])
  expect(JSON.parse(evaluated.stdout).effectiveBits).toBeGreaterThan(3)
})

test('reference mode is its own quantizer, and its seed matters', async () => {
  const quantize = async (name: string, ...flags: string[]) => {
    const out = path.join(fixtures.folder, name)
    const done = await runCommand(['quantize', fixtures.original, '-o', out, '--no-calib', '--json', '-q', ...flags])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    return { ...JSON.parse(done.stdout), bytes: await readFile(path.join(out, 'model.safetensors')) }
  }
  const first = await quantize('reference-mode', '--reference-mode')
  expect(first.quantizer).toBe('reference-mode')
  expect((await quantize('reference-mode-0', '--reference-mode', '--seed', '0')).bytes).toEqual(first.bytes)
  expect((await quantize('reference-mode-1', '--reference-mode', '--seed', '1')).bytes).not.toEqual(first.bytes)
  expect((await quantize('refreshed', '--reference-mode', '--lut-refresh')).bytes).not.toEqual(first.bytes)
})

test('sensitivities by choice; Fisher information is kept where asked for', async () => {
  const quantize = async (name: string, ...flags: string[]) => {
    const out = path.join(fixtures.folder, name)
    const done = await runCommand(['quantize', fixtures.original, '-o', out, '--calib', fixtures.text, '--json', '-q', ...flags])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    return { ...JSON.parse(done.stdout), bytes: await readFile(path.join(out, 'model.safetensors')) }
  }
  const kept = path.join(fixtures.folder, 'kept')
  const flags = ['--samples', '3', '--seq-len', '16']
  const fisher = await quantize('by-fisher', '--sensitivity', 'fisher', '--sensitivity-dir', kept, ...flags)
  expect(await readdir(kept)).toEqual(['gradient-squares-lm_head.safetensors', 'input-moments.safetensors'])
  const inputs = await quantize('by-inputs', '--sensitivity', 'inputs', ...flags)
  const none = await quantize('by-none', '--sensitivity', 'none')
  expect([fisher, inputs, none].map(({ sensitivity }) => sensitivity)).toEqual(['fisher', 'inputs', 'none'])
  expect(new Set([fisher, inputs, none].map(({ bytes }) => bytes.toString('base64'))).size).toBe(3)
  expect((await quantize('by-no-text', '--no-calib')).bytes).toEqual(none.bytes)

  const other = await runCommand([
    'quantize',
    fixtures.original,
    '-o',
    path.join(fixtures.folder, 'other'),
    '--sensitivity',
    'fisher',
    '--sensitivity-dir',
    kept,
    '-q',
  ])
  expect(other.code).toBe(1)
  expect(other.stderr).toMatch(/^dpllm: .*gradient-squares-lm_head\.safetensors: gradients of another model, text or settings/)
})

test('tables are tuned if the text is long enough, and else it is said why not', async () => {
  const text = path.join(fixtures.folder, 'long.txt')
  await writeFile(text, 'the cat and the hat sat on the mat. '.repeat(460))
  const quantize = (name: string, ...flags: string[]) =>
    runCommand(['quantize', fixtures.original, '-o', path.join(fixtures.folder, name), '--sensitivity', 'none', ...flags])
  const tuned = await quantize('tuned', '--calib', text, '--tune-steps', '2', '-q')
  expect(tuned).toMatchObject({ code: 0, stderr: '' })
  expect(tuned.stdout).toMatch(/\| +bits \| divergence before \|/)
  const page = await quantize('page')
  expect(page.stderr).toMatch(/tables were not tuned: .*(too short|native code)/)
  expect(page.code).toBe(0)
  expect((await quantize('off', '--no-lut-tuning')).stderr).not.toContain('tuned')
  const short = await quantize('short', '--calib', fixtures.text, '--tune-steps', '2', '-q')
  expect(short).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/calibrationText: expected a text of at least 64 windows/),
  })
  expect(await readdir(fixtures.folder)).not.toContain('short.partial')
})

test('an existing folder is kept', async () => {
  const { code, stderr } = await runCommand(['quantize', fixtures.original, '-o', fixtures.quantized, '-q'])
  expect(stderr).toMatch(/^dpllm: out: .*quantized/)
  expect(code).toBe(1)
})

test('Ctrl-C says what is kept and how to go on', async () => {
  const out = path.join(fixtures.folder, 'interrupted')
  const command = startCommand('quantize', fixtures.original, '-o', out, '-q')
  command.interrupt()
  const { code, stderr } = await command.done
  expect(code).toBe(130)
  expect(stderr).toBe(`dpllm: interrupted; finished parts are kept in ${out}.partial; the same command goes on from there\n`)
  expect(await readdir(fixtures.folder)).not.toContain('interrupted')
})

test.each([
  ['--bits', '8-3'],
  ['--bits', '0-9'],
  ['--head-bits', '9'],
  ['--threads', '0'],
  ['--reference-mode', '--seed=-1'],
  ['--seed', '1'],
  ['--quiet', '--lut-refresh'],
  ['--no-lut-tuning', '--tune-steps=3'],
  ['--sensitivity', 'hessian'],
  ['--samples', '0'],
  ['--seq-len', '1'],
  ['--no-calib', '--sensitivity', 'fisher'],
])('quantize %s %s is wrong usage', async (...args) => {
  expect((await runCommand(['quantize', fixtures.original, '-o', 'x', ...args])).code).toBe(2)
})
