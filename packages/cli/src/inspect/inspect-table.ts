import { formatBytes, formatCount } from '../output/format.js'
import { markdownTable } from '../output/table.js'
import type { MatrixInfo, ModelInspection, ProfileInspection } from './inspect-model.js'

/** Targets that are listed one by one; of more only the ends are. */
const MOST_LISTED = 6

/** What `dpllm inspect` prints: a line about the model, a table of its matrices, and one of its profiles. */
export function inspectionText(model: ModelInspection): string {
  const { profiles } = model
  const parts = [modelText(model), matrixTable(model), ...(profiles.length === 0 ? [] : [profileTable(profiles)])]
  return parts.join('\n')
}

function modelText(model: ModelInspection): string {
  const { directory, family, layers, hiddenSize, intermediateSize, heads, kvHeads } = model
  const { parameters, bytes, contextLength, vocabularySize } = model
  const shape = `${layers} layers of ${hiddenSize} / ${intermediateSize}, ${heads} heads, ${kvHeads} of keys, vocabulary ${vocabularySize}, context ${contextLength}`
  return `${directory}: ${family}, ${formatCount(parameters)} weights in ${formatBytes(bytes)}\n${shape}\n`
}

function matrixTable({ matrices }: ModelInspection): string {
  return markdownTable(
    [{ title: 'module' }, { title: 'shape', right: true }, { title: 'bits', right: true }, { title: 'size', right: true }],
    matrices.map((matrix) => [matrix.module, matrix.shape.join(' × '), bitsText(matrix), formatBytes(matrix.bytes)]),
  )
}

function bitsText({ dtype, bits }: MatrixInfo): string {
  const [least, most] = [Math.min(...bits), Math.max(...bits)]
  if (dtype !== 'bit-planes') return dtype
  return least === most ? String(least) : `${least}-${most}`
}

function profileTable(profiles: readonly ProfileInspection[]): string {
  return markdownTable(
    [
      { title: 'profile' },
      { title: 'method' },
      { title: 'budget', right: true },
      { title: 'loaded bits', right: true },
      { title: 'serves', right: true },
      { title: 'measured at (bits)' },
    ],
    profiles.map((profile) => {
      const { name, method, memoryBudget, loadedBits, range } = profile
      const served = range === undefined ? 'these' : rangeText(range)
      return [name, method, String(memoryBudget), loadedBits.toFixed(3), served, targetsText(profile)]
    }),
  )
}

function targetsText({ targets }: ProfileInspection): string {
  const texts = targets.map(({ targetBits, measuredBits }) => `${rounded(targetBits)} (${measuredBits.toFixed(3)})`)
  if (texts.length <= MOST_LISTED) return texts.join(', ')
  return `${texts.length} from ${texts[0]} to ${texts[texts.length - 1]}`
}

/** 3.25-4.75 */
export function rangeText([least, most]: readonly [number, number]): string {
  return `${rounded(least)}-${rounded(most)}`
}

/** Targets of a grid are sums. */
function rounded(bits: number): string {
  return String(Number(bits.toFixed(3)))
}
