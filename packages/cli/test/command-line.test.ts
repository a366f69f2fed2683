import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyCheckpoint } from '../src/testing/tiny-model.js'
import { isBuilt, runBuilt, startBuilt } from './built-command.js'

let folder: string
const inFolder = (name: string) => path.join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-command-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What a command that succeeds prints: one JSON document, and nothing on stderr. */
async function json(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await runBuilt([...args, '--json'], env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

// Skipped where nothing has been built: every test here is of `dist`.
describe.skipIf(!isBuilt)('the built command, from a checkpoint to text', () => {
  let original: string
  let quantized: string
  let text: string

  beforeAll(async () => {
    const { checkpoint, tokenizer } = await writeTinyCheckpoint(folder)
    ;[original, quantized, text] = ['original', 'quantized', 'text.txt'].map(inFolder)
    await writeFile(text, 'the cat and the hat sat on the mat. '.repeat(20))

    const imported = await json(['import', 'llama2c', checkpoint, '--tokenizer', tokenizer, '-o', original, '-q'])
    expect(imported).toMatchObject({ directory: original, layers: 2 })

    const made = await json(['quantize', original, '-o', quantized, '--bits', '3-8', '--calib', text, '--no-lut-tuning', '-q'])
    expect(made.modules).toHaveLength(2 * 7 + 1)
    expect(await readdir(folder)).not.toContain('quantized.partial')

    const calibrate = ['calibrate', quantized, '--calib', text, '--memory-budget', '5', '--target', '3.5,4', '--seq-len', '32']
    const profile = await json([...calibrate, '--method', 'dp-llm', '--steps', '4', '-q'])
    expect(profile.targets.map((t: { targetBits: number }) => t.targetBits)).toEqual([3.5, 4])
    await access(profile.path)
  })

  test.each([
    ['--target-bits', '3.5'],
    ['--precision', '4'],
  ])('run %s %s', async (flag, value) => {
    const args = ['run', quantized, '-p', 'the cat', '-n', '24', '--temp', '0', flag, value]
    const answer = await json([...args, '-q'])
    expect(answer).toEqual({
      text: expect.any(String),
      tokens: expect.any(Array),
      effectiveBits: expect.any(Number),
      timings: expect.any(Object),
      finishReason: expect.stringMatching(/^(length|eos)$/),
      promptTokens: expect.any(Number),
    })
    expect(answer.tokens.length).toBe(24)
    for (const token of answer.tokens) {
      expect(token).toMatchObject({ id: expect.any(Number), text: expect.any(String), bits: expect.any(Number) })
    }
    expect(answer.text).toBe(answer.tokens.map((token: { text: string }) => token.text).join(''))
    for (const time of Object.values(answer.timings)) expect(time).toBeGreaterThan(0)
    // The first token comes out of the prompt, which a target reads at the budget's 5 bits.
    const bits = answer.tokens.slice(1).map((token: { bits: number }) => token.bits)
    expect(answer.effectiveBits).toBeCloseTo(bits.reduce((sum: number, b: number) => sum + b, 0) / bits.length, 9)
    if (flag === '--precision') expect(bits).toEqual(Array(23).fill(4))
    else for (const b of bits) expect(b >= 3 && b <= 4).toBe(true)
    // The same without --json: the text alone.
    expect((await runBuilt(args)).stdout).toBe(`${answer.text}\n`)
  })

  test('eval ppl', async () => {
    const args = ['eval', 'ppl', quantized, '--data', text, '--ctx', '32', '--protocol', 'papers', '--chunks', '2', '-q']
    const wanted = { perplexity: expect.any(Number), standardError: expect.any(Number), tokens: 2 * 31 }
    const four = await json([...args, '--precision', '4'])
    expect(four).toMatchObject({ ...wanted, effectiveBits: 4 })
    const dynamic = await json([...args, '--target-bits', '3.5', '--method', 'dp-llm'])
    expect(dynamic).toMatchObject({ ...wanted, effectiveBits: expect.any(Number) })
    expect(dynamic.effectiveBits > 3 && dynamic.effectiveBits < 4).toBe(true)
    expect(await json(['eval', 'ppl', original, ...args.slice(3)])).toMatchObject({ ...wanted, effectiveBits: 32 })
  })

  test('inspect', async () => {
    const { matrices, profiles, quantized: isQuantized } = await json(['inspect', quantized])
    expect(isQuantized).toBe(true)
    expect(matrices).toHaveLength(2 * 7 + 2)
    expect(matrices.find((m: { module: string }) => m.module === 'lm_head').bits).toEqual([3, 4, 5, 6, 7, 8])
    expect(profiles.map((p: { name: string }) => p.name)).toEqual(['dp-llm-5'])
    expect(await json(['inspect', original])).toMatchObject({ quantized: false, profiles: [] })
  })

  test('bench, of a model and of random weights', async () => {
    const rows = await json(['bench', quantized, '-p', '8', '-n', '4', '-r', '2', '-q'])
    expect(rows.map((row: { test: string }) => row.test)).toEqual(['pp8', 'tg4'])
    for (const row of rows) expect(row.tokensPerSecond).toBeGreaterThan(0)
    const random = ['bench', '--random', 'tinyllama-1.1b', '--layers', '1', '--vocab', '64', '--bits', '3-4', '-p', '0']
    expect(await json([...random, '-n', '2', '-r', '1', '-q'])).toMatchObject([{ test: 'tg2' }])
  })

  test('without the addon everything runs on the reference backend, and doctor says why', async () => {
    const off = { DPLLM_CPU_ADDON: 'off' }
    const report = await json(['doctor'], off)
    expect(report.selected).toBe('reference')
    expect(report.backends.find((b: { name: string }) => b.name === 'cpu')).toMatchObject({
      usable: false,
      detail: expect.stringContaining('DPLLM_CPU_ADDON=off'),
    })
    const answer = await json(['run', quantized, '-p', 'the', '-n', '4', '--temp', '0', '--target-bits', '3.5', '-q'], off)
    expect(answer.tokens).toHaveLength(4)
    expect(await runBuilt(['run', original, '-p', 'the', '-n', '4', '-q', '--backend', 'cpu'], off)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^dpllm: backend cpu cannot be used: .*DPLLM_CPU_ADDON=off.*\n$/),
    })
    const made = await json(['quantize', original, '-o', inFolder('without addon'), '--calib', text, '-q'], off)
    expect(made.quantizer).not.toBe('native')
  })

  test.each([
    [[]],
    [['fly']],
    [['run']],
    [['run', 'model', '--precision', 'often']],
    [['quantize', 'model']],
    [['calibrate', 'model', '--calib', 'text']],
    [['eval', 'ppl', 'model']],
    [['bench']],
  ])('wrong usage, %j: exit code 2, nothing on stdout', async (args) => {
    const { code, stdout, stderr } = await runBuilt(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toBe('')
  })

  test('a failure: exit code 1, one line; DPLLM_DEBUG adds the stack', async () => {
    const args = ['run', inFolder('nowhere'), '-p', 'x', '-q']
    const { code, stdout, stderr } = await runBuilt(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^dpllm: .*nowhere.*config\.json.*\n$/)
    expect((await runBuilt(args, { DPLLM_DEBUG: '1' })).stderr).toMatch(/\n\s+at /)
  })
})

test.skipIf(!isBuilt)('quantize killed with kill -9 and started again makes the bytes of an undisturbed run', async () => {
  // Large enough that there is time to be killed in.
  const { checkpoint, tokenizer } = await writeTinyCheckpoint(folder, { dim: 128, hidden: 344, layers: 6 })
  const source = inFolder('larger')
  await json(['import', 'llama2c', checkpoint, '--tokenizer', tokenizer, '-o', source, '-q'])
  const quantize = (out: string) => ['quantize', source, '-o', inFolder(out), '--threads', '1', '-q']

  const child = startBuilt(quantize('killed'))
  const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
  const isWriting = async () =>
    (await readdir(inFolder('killed.partial')).catch(() => [])).some((name) => name.startsWith('.model'))
  while (child.exitCode === null && !(await isWriting())) await setTimeout(1)
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')
  expect(await readdir(folder)).not.toContain('killed')

  await json(quantize('killed'))
  await json(quantize('undisturbed'))
  expect(await readdir(folder)).not.toContain('killed.partial')
  const files = await readdir(inFolder('undisturbed'))
  expect(await readdir(inFolder('killed'))).toEqual(files)
  for (const file of files) {
    const [resumed, wanted] = await Promise.all([readFile(inFolder(`killed/${file}`)), readFile(inFolder(`undisturbed/${file}`))])
    expect(resumed.equals(wanted), file).toBe(true)
  }
})
