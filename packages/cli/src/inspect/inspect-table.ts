import { formatBytes, formatCount } from '../output/format.js'
import { markdownTable } from '../output/table.js'
import type { MatrixInfo, ModelInspection } from './inspect-model.js'

/** What `dpllm inspect` prints: a line about the model, a table of its matrices, and a line about every profile. */
export function inspectionText(model: ModelInspection): string {
  const {
    directory,
    family,
    layers,
    hiddenSize,
    intermediateSize,
    heads,
    kvHeads,
    parameters,
    bytes,
    contextLength,
    vocabularySize,
  } = model
  const shape = `${layers} layers of ${hiddenSize} / ${intermediateSize}, ${heads} heads, ${kvHeads} of keys, vocabulary ${vocabularySize}, context ${contextLength}`
  const head = `${directory}: ${family}, ${formatCount(parameters)} weights in ${formatBytes(bytes)}\n${shape}\n\n`
  return head + matrixTable(model) + profileLines(model)
}

function matrixTable({ matrices, profiles }: ModelInspection): string {
  const targets = profiles.flatMap((profile) => profile.targets.map((target) => ({ profile, target })))
  const columns = [
    { title: 'module' },
    { title: 'shape', right: true },
    { title: 'bits', right: true },
    { title: 'size', right: true },
    ...profiles.map(({ name }) => ({ title: `${name}: most bits`, right: true })),
    ...targets.map(({ profile, target }) => ({
      title: `${profiles.length > 1 ? `${profile.name} ` : ''}at ${target.targetBits}`,
      right: true,
    })),
  ]
  const rows = matrices.map((matrix) => [
    matrix.module,
    matrix.shape.join(' × '),
    bitsText(matrix),
    formatBytes(matrix.bytes),
    ...profiles.map(({ maxBits }) => String(maxBits[matrix.module] ?? '')),
    ...targets.map(({ target }) => decisionText(target.linears[matrix.module])),
  ])
  return markdownTable(columns, rows)
}

function bitsText({ dtype, bits }: MatrixInfo): string {
  const [least, most] = [Math.min(...bits), Math.max(...bits)]
  if (dtype !== 'bit-planes') return dtype
  return least === most ? String(least) : `${least}-${most}`
}

/** 3 or, above an estimated error, 4: `3, above 0.0412: 4`. */
function decisionText(decision: { low: number; high: number; threshold: number | null } | undefined): string {
  if (decision === undefined) return ''
  const { low, high, threshold } = decision
  return low === high || threshold === null ? String(low) : `${low}, above ${threshold.toPrecision(3)}: ${high}`
}

function profileLines({ profiles }: ModelInspection): string {
  return profiles
    .map(({ name, method, memoryBudget, estimator, targets }) => {
      const measured = targets.map(({ targetBits, measuredBits }) => `${targetBits} (measured ${measuredBits.toFixed(3)})`)
      return `\nprofile ${name}: ${method}, budget ${memoryBudget} bits, ${estimator} estimator, targets ${measured.join(', ')}\n`
    })
    .join('')
}
