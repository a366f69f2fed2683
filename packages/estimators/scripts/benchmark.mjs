// What each kind of estimator costs and how well it does, on synthetic inputs (synthetic.mjs), half of them to calibrate and
// half to judge: `npm run bench -- --rows 2048 --cols 2048 --tokens 8192 --json`, after `npm run build`.
import { parseArgs } from 'node:util'
import {
  createNormals,
  createProjection,
  createSketch,
  errorNorms,
  estimateAccuracy,
  estimateGroup,
  fitLinear,
  groupEstimators,
  inputNorms,
  linearEstimates,
  projectedNorms,
  tuneProjection,
} from '@dpllm/estimators'
import { synthetic } from './synthetic.mjs'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '512' },
    cols: { type: 'string', default: '512' },
    tokens: { type: 'string', default: '4096' },
    decay: { type: 'string', default: '0.4' },
    spread: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const { json, ...numbers } = values
const settings = Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, Number(value)]))
const { rows, cols, seed } = settings
const half = Math.floor(settings.tokens / 2)
const { x, rowOf } = synthetic(createNormals(seed + 1000), { ...settings, tokens: 2 * half })
const [errors, errorSeconds] = await timed(() => errorNorms(rows, cols, rowOf, x))
const calibration = { x: x.subarray(0, half * cols), errors: errors.subarray(0, half) }
const judges = { x: x.subarray(half * cols), errors: errors.subarray(half) }

const results = [
  {
    kind: 'exact',
    ...flat(estimateAccuracy(judges.errors, judges.errors)),
    nsPerEstimate: (errorSeconds * 1e9) / (2 * half),
    bytes: 0,
    seconds: 0,
  },
]
const norms = inputNorms(x, cols)
const [fit, fitSeconds] = await timed(() => fitLinear(norms.subarray(0, half), calibration.errors))
const { slope, intercept } = fit
record('linear', { kind: 'linear', slope, intercept }, linearEstimates(fit, norms.subarray(half)), 8, fitSeconds)
const [random, randomSeconds] = await timed(() => createProjection(rows, cols, rowOf, { seed }))
const [sketch, sketchSeconds] = await timed(() => createSketch(rows, cols, rowOf, calibration, { seed }))
for (const [name, matrix, seconds] of [
  ['projection', random, randomSeconds],
  ['sketch', sketch.matrix, sketchSeconds],
]) {
  const [tuned, tuneSeconds] = await timed(() => tuneProjection(matrix, calibration, { seed }))
  recordMatrix(name, matrix, seconds)
  recordMatrix(`${name}, tuned`, tuned.matrix, seconds + tuneSeconds)
}
const three = { kind: 'projection', matrix: random }
const copies = [0, 1, 2].map(() => ({ ...three, matrix: { ...random } }))
const group = { perLinear: nsPerEstimate(copies) / 3, shared: nsPerEstimate([three, three, three]) / 3 }
const weights = { dtype: 'f32', shape: [cols], data: random.data.slice(0, cols) }
const probe = { nsPerEstimate: nsPerEstimate([{ kind: 'probe', weights, bias: 0 }]), bytes: weights.data.byteLength + 4 }

if (json) console.log(JSON.stringify({ settings, principal: sketch.principal, results, groupOfThree: group, probe }))
else {
  console.log(`${rows} x ${cols}, ${half} tokens to calibrate, ${half} to judge`)
  console.log('kind                 R2     rms    median   91 %  in 15 %  ns/estimate     bytes  calibration')
  for (const r of results) {
    const error = [r.r2, r.rootMeanSquare, r.median, r.p91, r.within15].map((value) => value.toFixed(4).padStart(7)).join(' ')
    const cost = `${r.nsPerEstimate.toFixed(0).padStart(12)} ${String(r.bytes).padStart(9)} ${r.seconds.toFixed(2).padStart(10)} s`
    console.log(`${r.kind.padEnd(18)}${error}${cost}`)
  }
  console.log(`${sketch.principal} of the sketch's ${sketch.matrix.shape[0]} rows are principal directions`)
  console.log(`a probe, which estimates no error: ${probe.nsPerEstimate.toFixed(0)} ns/estimate, ${probe.bytes} bytes`)
  console.log(
    `three linears of one input, per estimate: ${group.perLinear.toFixed(0)} ns stacked, ${group.shared.toFixed(0)} ns with one matrix for all`,
  )
}

function recordMatrix(kind, matrix, seconds) {
  record(kind, { kind: 'projection', matrix }, projectedNorms(matrix, judges.x), matrix.data.byteLength, seconds)
}

function record(kind, estimator, estimates, bytes, seconds) {
  const accuracy = flat(estimateAccuracy(estimates, judges.errors))
  results.push({ kind, ...accuracy, nsPerEstimate: nsPerEstimate([estimator]), bytes, seconds })
}

function flat({ r2, rootMeanSquare, median, p91, within15 }) {
  return { r2, rootMeanSquare, median, p91, within15 }
}

/** Of one token after another, as when decoding; the fastest of some rounds. */
function nsPerEstimate(estimators) {
  const group = groupEstimators(estimators, cols)
  const out = new Float32Array(estimators.length)
  const tokens = Math.min(half, 100)
  const rounds = Array.from({ length: 25 }, () => {
    const start = performance.now()
    for (let t = 0; t < tokens; t++) estimateGroup(group, judges.x.subarray(t * cols, (t + 1) * cols), out)
    return ((performance.now() - start) * 1e6) / tokens
  })
  return Math.min(...rounds)
}

/** The result and its seconds. */
async function timed(work) {
  const start = performance.now()
  const result = await work()
  return [result, (performance.now() - start) / 1000]
}
