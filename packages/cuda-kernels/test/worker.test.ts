import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { lowerProgram, makePlan } from '@dpllm/core/native'
import { testProgram } from '@dpllm/core/testing'
import { expect, test } from 'vitest'
import { hasHostAddon } from './host-addon.js'

// The addon itself, since workers run JavaScript only.
const source = `
const { parentPort, workerData } = require('node:worker_threads')
const { addon: path, description, plan, length } = workerData
const addon = require(path)
const run = async () => {
  const program = await addon.compile({ device: 0, cacheType: 0, graphs: 0 }, description)
  for (;;) {
    const logits = new Float32Array(50)
    await addon.run(program, {
      plan: addon.createPlan(plan), cache: addon.createCache(program, length), tokens: new Uint32Array(length), position: 0,
      rows: Uint32Array.of(0), inputs: [], outputs: [logits], bits: new Uint8Array(length), estimates: new Float32Array(length),
    })
    parentPort.postMessage(logits[0])
  }
}
run()
`

test.skipIf(!hasHostAddon).each([
  // one long step, and steps so short that some workers end while a result is handed over
  { when: 'in the middle of a step', length: 48, rounds: 1 },
  { when: 'between steps', length: 2, rounds: 10 },
])('worker threads compute the same and may be terminated $when', { timeout: 60_000 }, async ({ length, rounds }) => {
  const { program, weights } = testProgram()
  const { description, valueIndex } = lowerProgram(program, weights)
  const addon = fileURLToPath(new URL('../build/Release/dpllm_cuda_host.node', import.meta.url))
  const workerData = { addon, description, plan: makePlan(program, valueIndex, ['logits']), length }
  for (let round = 0; round < rounds; round++) {
    const workers = [0, 1].map(() => new Worker(source, { eval: true, workerData }))
    const [a, b] = await Promise.all(workers.map(async (w) => (await once(w, 'message'))[0]))
    expect(a).toBe(b)
    expect(a).not.toBe(0)
    for (const w of workers) expect(await w.terminate()).toBe(1)
  }
})
