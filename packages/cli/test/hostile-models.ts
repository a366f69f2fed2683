import { copyFile, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { openCheckpoint, writeCheckpoint } from '@dpllm/core/node'
import { expect } from 'vitest'
import type { Fixtures } from '../src/testing/fixtures.js'
import { runCommand } from '../src/testing/run-command.js'

/** Well-formed models to be damaged. */
export interface Models {
  readonly original: string
  /** The original in several files and their index. */
  readonly sharded: string
  /** With a profile dp-llm-4. */
  readonly quantized: string
}

/** Makes them in the fixtures' folder. */
export async function makeModels({ folder, original, quantized, text }: Fixtures): Promise<Models> {
  const sharded = path.join(folder, 'sharded')
  await mkdir(sharded)
  for (const file of await readdir(original)) {
    if (!file.endsWith('.safetensors')) await copyFile(path.join(original, file), path.join(sharded, file))
  }
  await using checkpoint = await openCheckpoint(original)
  const entries = [...checkpoint.tensors.values()].map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    data: async () => (await checkpoint.read(name)).data,
  }))
  await writeCheckpoint(sharded, entries, { maxShardBytes: 40_000 })

  const calibrate = ['calibrate', quantized, '--calib', text, '--memory-budget', '4', '--target', '3.5', '--seq-len', '32', '-q']
  expect(await runCommand([...calibrate, '--method', 'dp-llm', '--steps', '1', '--samples', '8'])).toMatchObject({
    code: 0,
    stderr: '',
  })
  return { original, sharded, quantized }
}
