import { importPackage } from '../../lib/packages.mjs'
import { markdownTable } from '../../lib/table.mjs'

const { medianOf, ratioOf } = await importPackage('eval')

/** What the page says of each part, of the part's runs with their results. */
export const sections = {
  kernels,
  decode,
  onnxruntime,
  step,
  dynamic,
  contention,
  prefill,
  rows,
  memory,
  instructions,
  tinyllama,
}

function kernels(runs) {
  const tables = runs.map(({ options, result }) => {
    const shapes = [...new Set(result.map(shapeOf))]
    const rows = shapes.map((shape) => [
      shape,
      ...options.bits.map((bits) => showRatio(result.find((row) => shapeOf(row) === shape && row.bits === bits).fraction)),
    ])
    const read = medianOf(result.map((row) => row.readGigabytesPerSecond))
    const kind =
      options.arithmetic === 'precise' ? 'precise arithmetic (16-bit activations)' : 'fast arithmetic (8-bit activations)'
    const head = `${threadsOf(options)}, ${kind}; plain read ${read.toFixed(0)} GB/s:`
    return `${head}\n\n${markdownTable(['rows x columns', ...options.bits.map((b) => `${b} bits`)], rows)}`
  })
  return `## Products with one vector

Speed of a matrix-vector product relative to a plain read of the planes that it reads, in the same rounds (1 is the speed of memory; more
means that the kernel's prefetching beats the plain read's). \`dpllm bench --kernels\` measures the same. Aim: 0.95 at 3 and 4 bits, 0.92 at 5 and
6, 0.85 at 8; precise 0.90 from 5 bits on.

${tables.join('\n\n')}
`
}

function decode(runs) {
  return `## Decoding, against llama.cpp

Tokens per second of whole decode steps from an empty context, relative to llama.cpp's type of the nearest size. Aim: 3.5x, 1.7x, 2x and 1.5x at
3, 4, 5 and 6 bits.

${comparisons(runs)}

![Tokens per second by bits](cpu-decode.svg)
`
}

function onnxruntime(runs) {
  const rows = runs.flatMap(({ options, result }) =>
    options.bits.map((bits, i) => [
      String(bits),
      String(options.threads),
      showRatio(ratioOf(result.onnxruntime, result.dpllm[i])),
    ]),
  )
  return `## Products, against onnxruntime

All products of one token with 4 layers' matrices: ours relative to onnxruntime's MatMulNBits, int4 in blocks of 128 with 8-bit products
(accuracy level 4), its fastest. Aim: 1.25x with one thread and 1x with two at 4 bits, 1.4x at 3.

${markdownTable(['bits', 'threads', 'speed, ours ÷ onnxruntime'], rows)}
`
}

function step(runs) {
  const kinds = [...new Set(runs.flatMap(({ result }) => result.rounds.flatMap((round) => Object.keys(round.operators))))]
  const others = kinds.filter((kind) => kind !== 'linear')
  const share = (result, part) => showPercent(medianOf(result.rounds.map((round) => part(round) / round.total)))
  const rows = runs.map(({ options, result }) => [
    String(options.bits),
    String(options.threads),
    share(result, ({ total, operators }) => total - operators.linear),
    ...others.map((kind) => share(result, ({ operators }) => operators[kind] ?? 0)),
    share(result, ({ total, operators }) => total - Object.values(operators).reduce((a, b) => a + b, 0)),
  ])
  return `## What a step does besides reading planes

Parts of a decode step's time at a context of 512, products with bit-planes left out. \`dpllm bench --step-profile\` says the same of any model. Aim: all
of it at most 8 %.

${markdownTable(['bits', 'threads', 'all of it', ...others, 'hand-over'], rows)}
`
}

function dynamic(runs) {
  const dynamicRows = runs
    .filter(({ measurement }) => measurement === 'dynamic')
    .map(({ options, result }) => [
      options.estimator,
      String(options.threads),
      `${result.effectiveBits.toFixed(3)} / ${result.staticBits.toFixed(3)}`,
      showPercent(result.changed),
      showRatio(ratioOf(result.static, result.dynamic)),
    ])
  const lines = runs
    .filter(({ measurement }) => measurement === 'static-mix')
    .map(({ options, result }) => {
      const times = result.times.map((rounds) => medianOf(rounds) / result.tokens)
      const { slope, intercept, r2 } = lineThrough(result.effectiveBits, times)
      return [String(options.threads), r2.toFixed(4), `${slope.toFixed(2)} ms`, `${intercept.toFixed(2)} ms`]
    })
  return `## Bits that change with every token

Every linear decides between 3 and 4 bits for every token by an estimate; its threshold is the median of the estimates, so that some half of the
decisions change from one token to the next. Against the same model with fixed bits of the same mean. The estimators: \`probe\`, one dot product (method
budget); \`linear\`, the input's norm, and \`projection\`, a matrix of 64 rows in f32 (DP-LLM's two). Aim: 0.99.

${markdownTable(['estimator', 'threads', 'effective bits, dynamic / fixed', 'decisions changed', 'speed, dynamic ÷ fixed'], dynamicRows)}

Time of a token against effective bits, of mixes of whole bits from 3 to 6. Aim: R² 0.99.

${markdownTable(['threads', 'R² of a line', 'a bit takes', 'at 0 bits'], lines)}

![Time by bits](cpu-bits.svg)
`
}

function contention(runs) {
  const rows = runs.map(({ options, result }) => [
    String(options.bits),
    showRatio(ratioOf(result.llamaContended, result.oursContended)),
    showRatio(ratioOf(result.oursQuiet, result.oursContended)),
    showRatio(ratioOf(result.llamaQuiet, result.llamaContended)),
  ])
  return `## With another busy process

Decoding with ${threadsOf(runs[0].options)} while another process keeps one CPU busy. Aim: 2.5x llama.cpp, half of our own quiet speed.

${markdownTable(['bits', 'ours ÷ llama.cpp, both disturbed', 'ours, disturbed ÷ quiet', 'llama.cpp, disturbed ÷ quiet'], rows)}
`
}

function prefill(runs) {
  return `## Prompts, against llama.cpp

A prompt of 512 tokens. llama.cpp computes the last layer's MLP for the last token only, which in a model of 4 layers spares it a fifth of the work, and
of 32 layers a fortieth; ours computes it for all. Aim: 1x.

${comparisons(runs)}
`
}

function rows(runs) {
  const { counts } = runs[0].result
  const table = runs.map(({ options, result }) => [
    String(options.bits),
    String(options.threads),
    ...result.times.map((times) => showRatio(ratioOf(times, result.times[0]))),
  ])
  return `## Several tokens in one step

Time of a step of several tokens, as batches and speculation run, relative to one token's. Aim: at most 2 for 8.

${markdownTable(['bits', 'threads', ...counts.map((n) => `${n} ${n === 1 ? 'token' : 'tokens'}`)], table)}
`
}

function memory([{ result }]) {
  const { bits, layers, empty, resident, weights, needed } = result
  const rows = [
    ['planes, tables, embedding and head', showBytes(weights)],
    ['the same and keys and values of 512 tokens, f16', showBytes(needed)],
    ['resident, with Node.js', showBytes(resident)],
    ['resident, without what an empty process takes', showBytes(resident - empty)],
    ['of it more than needed', showPercent((resident - empty) / needed - 1)],
  ]
  return `## Memory

A model of ${layers} layers of Llama-3-8B at a budget of ${bits} bits after decoding. Aim: at most 5 % more than what it is made of.

${markdownTable(['', ''], rows)}
`
}

function instructions(runs) {
  const names = [...new Set(runs.flatMap(({ result }) => result.map(({ name }) => name)))]
  const rows = runs.flatMap(({ options, result }) =>
    [...new Set(result.map(({ test }) => test))].map((test) => [
      String(options.bits),
      test,
      ...names.map((name) => showRatio(result.find((c) => c.test === test && c.name === name).speed)),
    ]),
  )
  return `## Instruction sets

Speed on each instruction set that this machine has, relative to the best, with one thread. \`DPLLM_CPU_INSTRUCTIONS\` (generic, avx2, avx512, neon) forces one.

${markdownTable(['bits', 'test', ...names], rows)}
`
}

function tinyllama(runs) {
  return `## TinyLlama-1.1B

The real model, as [results:quantizer](quantizer.md) makes it, with embedding and head in f16 as published; llama.cpp with a head of f16 likewise.

${comparisons(runs)}
`
}

/** Of `compareSpeed`: the first contender is llama.cpp, the second ours. */
function comparisons(runs) {
  const rows = runs.map(({ options, result: [llama, ours] }) => [
    ours.test,
    String(options.threads),
    `${ours.bitsPerWeight.toFixed(2)} bits`,
    `${llama.name} (${llama.bitsPerWeight.toFixed(2)} bits)`,
    `${llama.tokensPerSecond.toFixed(1)} → ${ours.tokensPerSecond.toFixed(1)}`,
    showRatio(ours.speed),
  ])
  return markdownTable(['test', 'threads', 'ours', 'against', 'tokens/s', 'speed'], rows)
}

/** Least squares. */
function lineThrough(x, y) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length
  const [mx, my] = [mean(x), mean(y)]
  const slope = mean(x.map((value, i) => (value - mx) * (y[i] - my))) / mean(x.map((value) => (value - mx) ** 2))
  const intercept = my - slope * mx
  const left = mean(x.map((value, i) => (y[i] - slope * value - intercept) ** 2))
  return { slope, intercept, r2: 1 - left / mean(y.map((value) => (value - my) ** 2)) }
}

const shapeOf = ({ rows, cols }) => `${rows} x ${cols}`
const threadsOf = ({ threads }) => (threads === 1 ? '1 thread' : `${threads} threads`)
const showRatio = ({ median, low, high }) => `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
const showPercent = (part) => `${(100 * part).toFixed(1)} %`
const showBytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
