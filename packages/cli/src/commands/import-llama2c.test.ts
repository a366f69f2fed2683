import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { useFixtures } from '../testing/fixtures.js'
import { runCommand } from '../testing/run-command.js'

const fixtures = useFixtures()

test('imports a checkpoint with its tokenizer', async () => {
  const out = path.join(fixtures.folder, 'imported')
  const args = [
    'import',
    'llama2c',
    path.join(fixtures.folder, 'tiny.bin'),
    '--tokenizer',
    path.join(fixtures.folder, 'tiny.tok'),
    '-o',
    out,
    '-q',
  ]
  const { code, stdout, stderr } = await runCommand(args)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/imported: 2\d\.\dk weights, 2 layers, a vocabulary of 294\n$/)
  expect((await readdir(out)).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
  expect(await runCommand(args)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^dpllm: out: expected a folder that is not there yet/),
  })
})

test('a file that is no checkpoint leaves nothing behind', async () => {
  const out = path.join(fixtures.folder, 'broken')
  const { code, stderr } = await runCommand(['import', 'llama2c', fixtures.text, '--tokenizer', fixtures.text, '-o', out, '-q'])
  expect(stderr).toMatch(/^dpllm: .*text\.txt: dim: expected/)
  expect(code).toBe(1)
  expect(await readdir(fixtures.folder)).not.toContain('broken')
})
