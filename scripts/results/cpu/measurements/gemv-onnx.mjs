import { importPackage } from '../../../lib/packages.mjs'
import { root } from '../../../lib/run.mjs'
import { layerLinears } from '../layer-linears.mjs'
import { writeMatMulModel } from '../matmul-onnx.mjs'
import { importPeer } from '../peers.mjs'

const { fastRandomPlanes, inputOfWidth, interleavedRounds, linearProgram } = await importPackage('eval')
const { createRandom, staticPolicy } = await importPackage('core')
const { createBackend } = await importPackage('runtime')
const LAYERS = 4

/**
 * All products of a token with the matrices of some layers, ours at several bit counts and onnxruntime's int4: milliseconds of
 * each round.
 */
export async function measure({ bits, threads, rounds = 15 }) {
  const linears = layerLinears(LAYERS)
  const file = writeMatMulModel(`${root}models/results/cpu/linears-${LAYERS}.onnx`, linears, 4096)
  const ort = (await importPeer('onnxruntime-node')).default
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  })
  const random = createRandom(0)
  const x = (width) => Float32Array.from({ length: width }, () => random.uniform() - 0.5)
  const feeds = { x: new ort.Tensor('float32', x(4096), [1, 4096]) }

  const weights = new Map(
    linears.map(({ name, rows, cols }) => [name, fastRandomPlanes(random, rows, cols, 3, Math.max(...bits))]),
  )
  const program = await createBackend('cpu', { threads }).compile(linearProgram(linears), weights)
  const step = {
    tokens: Uint32Array.of(0),
    position: 0,
    cache: program.createCache(1),
    inputs: Object.fromEntries([4096, 14336].map((width) => [inputOfWidth(width), x(width)])),
    outputs: linears.map(({ name }) => `${name}.out`),
  }
  // Several times, so that a turn is long enough to be timed well.
  const repeated = (run) => async () => {
    for (let i = 0; i < 8; i++) await run()
  }
  const turns = [
    repeated(() => session.run(feeds)),
    ...bits.map((b) => {
      const policy = staticPolicy(linears.map(() => b))
      return repeated(() => program.run({ ...step, policy }))
    }),
  ]
  const [onnxruntime, ...dpllm] = await interleavedRounds(turns, { rounds, warmup: 2 })
  return { bits, onnxruntime, dpllm }
}
