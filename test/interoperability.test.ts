import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../packages/cli/src/testing/run-command.js'
import { writeTinyCheckpoint } from '../packages/cli/src/testing/tiny-model.js'
import { dpLlmFiles, type Found, writeDpLlmFolder } from '../packages/runtime/test/dp-llm-files.js'

let folder: string
const inFolder = (name: string) => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-interoperability-'))
  const { checkpoint, tokenizer } = await writeTinyCheckpoint(folder, { hidden: 64 })
  await json(['import', 'llama2c', checkpoint, '--tokenizer', tokenizer, '-o', inFolder('original')])
  const quantize = ['quantize', inFolder('original'), '--bits', '3-6', '--no-calib', '-o']
  await json([...quantize, inFolder('quantized')])
  // What that format keeps dense.
  await json([...quantize, inFolder('dense-head'), '--head-bits', 'none'])
})
afterAll(() => rm(folder, { recursive: true }))

async function json(args: readonly string[]) {
  const { code, stdout, stderr } = await runCommand([...args, '--json', '-q'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

test('a model is exported, imported again, and answers the same', async () => {
  const [packed, back] = [inFolder('packed'), inFolder('back')]
  const exported = await runCommand(['export', 'any-precision', inFolder('dense-head'), '-o', packed, '-q'])
  expect(exported).toMatchObject({ code: 0, stderr: '' })
  expect(exported.stdout).toBe(`${packed}: 14 matrices at 3 to 6 bits, the head tied to the embedding\n`)
  expect(await readdir(packed)).toEqual(['config.json', 'pytorch_model.bin', 'tokenizer.json', 'tokenizer_config.json'])
  const imported = await runCommand(['import', 'any-precision', packed, '-o', back, '-q'])
  expect(imported).toMatchObject({ code: 0, stderr: '' })
  expect(imported.stdout).toMatch(/back: 2\d\.\dk weights, 2 layers, 14 matrices at 3 to 6 bits\n$/)

  // Everything but the bit-planes is in half precision now, so that only nearly the same is said.
  const ask = (model: string) =>
    json(['run', model, '-p', 'the cat', '-n', '8', '--temp', '0', '--precision', '4', '--backend', 'reference'])
  const [before, after] = [await ask(inFolder('dense-head')), await ask(back)]
  expect(after.tokens.map((t: { id: number }) => t.id)).toEqual(before.tokens.map((t: { id: number }) => t.id))
  expect(await json(['export', 'any-precision', inFolder('quantized'), '-o', inFolder('packed-head')])).toEqual({
    directory: inFolder('packed-head'),
    seedBits: 3,
    maxBits: 6,
    modules: 14,
    head: 'tied',
  })
  expect(await json(['import', 'any-precision', packed, '-o', back, '--overwrite'])).toMatchObject({ seedBits: 3, layers: 2 })
})

test('files of DP-LLM become a profile that decides', async () => {
  const model = inFolder('with-profile')
  await cp(inFolder('quantized'), model, { recursive: true })
  const names = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
  const found = (cols: number, i: number): Found => ({
    maxBits: 5,
    p: 3.5,
    threshold: 0.3,
    slope: 0.01,
    intercept: 0,
    r: i % 2,
    cols,
  })
  const linears = new Map(
    [0, 1].flatMap((block) => names.map((name, i) => [`${block}.${name}`, found(name === 'down_proj' ? 64 : 32, i)] as const)),
  )
  await writeDpLlmFolder(inFolder('dp-llm'), dpLlmFiles(linears))
  const args = ['import', 'dp-llm', inFolder('dp-llm'), '--model', model]
  const first = await runCommand([...args, '-q'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(
    /\| +3\.5 +\| +0 +\| +6 +\| +8 +\|\nprofile dp-llm-5-imported written to .*dp-llm-5-imported\.json\n$/,
  )
  expect(await json([...args, '--name', 'mine'])).toMatchObject({
    name: 'mine',
    memoryBudget: 5,
    estimators: [{ targetBits: 3.5, none: 0, linear: 6, projection: 8 }],
  })
  const again = await runCommand([...args, '-q'])
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^dpllm: name: expected a profile that is not there yet/),
  })

  const inspected = await runCommand(['inspect', model, '--profile', 'mine'])
  expect(inspected.stdout).toMatch(/profile mine: dp-llm, budget 5 bits/)
  const answer = await json([
    'run',
    model,
    '-p',
    'the cat',
    '-n',
    '8',
    '--temp',
    '0',
    '--target-bits',
    '3.5',
    '--profile',
    'mine',
  ])
  expect(answer.effectiveBits).toBeGreaterThanOrEqual(3)
  expect(answer.effectiveBits).toBeLessThanOrEqual(4)
})

test('what is no such model is refused in one line, and nothing is left behind', async () => {
  const refused = async (args: readonly string[], message: RegExp) => {
    const { code, stderr, stdout } = await runCommand([...args, '-q'])
    expect(stderr).toMatch(message)
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
  }
  const out = inFolder('nothing')
  await refused(
    ['import', 'any-precision', inFolder('original'), '-o', out],
    /^dpllm: .*config\.json: expected a model that Any-Precision/,
  )
  await refused(['import', 'any-precision', inFolder('missing'), '-o', out], /^dpllm: .*config\.json: cannot be read/)
  await refused(['export', 'any-precision', inFolder('original'), '-o', out], /^dpllm: .*is not quantized/)
  await refused(['import', 'dp-llm', folder, '--model', inFolder('quantized')], /^dpllm: .*expected one file finetuned_\*\.pt/)
  expect(await readdir(folder)).not.toContain('nothing')
  expect(await readdir(inFolder('quantized'))).not.toContain('profiles')
  expect((await readFile(path.join(inFolder('quantized'), 'config.json'), 'utf8')).includes('"dpllm"')).toBe(true)
  expect(await runCommand(['import', 'dp-llm', '--model', folder])).toMatchObject({ code: 2 })
})
