import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { lowerProgram, makePlan } from '@dpllm/core/native'
import { testProgram } from '@dpllm/core/testing'
import { expect, test } from 'vitest'
import { probeCpu } from '../src/index.js'

// The addon itself, since workers run JavaScript only.
const source = `
const { parentPort, workerData } = require('node:worker_threads')
const { addon: path, description, plan, length } = workerData
const addon = require(path)
const backend = addon.createBackend('generic', 2, 8, 0)
const program = addon.compile(backend, description)
const step = () => ({
  plan: addon.createPlan(plan), cache: addon.createCache(program, length), tokens: new Uint32Array(length), position: 0,
  rows: Uint32Array.of(0), inputs: [], outputs: [new Float32Array(50)],
  bits: new Uint8Array(length), estimates: new Float32Array(length),
})
const run = async () => {
  for (;;) {
    const s = step()
    await addon.run(program, s)
    parentPort.postMessage(s.outputs[0][0])
  }
}
run()
`

const probe = probeCpu()

test.skipIf(!probe.ok || probe.origin !== 'local build').each([
  // one long step, and steps so short that some workers end while a result is handed over
  { when: 'in the middle of a step', length: 256, rounds: 1 },
  { when: 'between steps', length: 2, rounds: 20 },
])('worker threads compute the same and may be terminated $when', { timeout: 60_000 }, async ({ length, rounds }) => {
  const { program, weights } = testProgram()
  const { description, valueIndex } = lowerProgram(program, weights)
  const workerData = {
    addon: fileURLToPath(new URL('../build/Release/dpllm_cpu.node', import.meta.url)),
    description,
    plan: makePlan(program, valueIndex, ['logits']),
    length,
  }
  for (let round = 0; round < rounds; round++) {
    const workers = [0, 1].map(() => new Worker(source, { eval: true, workerData }))
    const [a, b] = await Promise.all(workers.map(async (w) => (await once(w, 'message'))[0]))
    expect(a).toBe(b)
    expect(a).not.toBe(0)
    for (const w of workers) expect(await w.terminate()).toBe(1)
  }
})
