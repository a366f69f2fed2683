import { type Column, markdownTable } from '../output/table.js'
import { formatMultiple } from './format-multiple.js'
import { type LinearDecision, type ProfileDecisions, stepBits, thresholdOf } from './linear-decisions.js'

/** What `dpllm inspect --profile` prints: a line about the profile, and a table of its linears at a target. */
export function decisionText({ profile, method, kind, memoryBudget, targetBits, linears }: ProfileDecisions): string {
  const head = `profile ${profile}: ${method}, budget ${memoryBudget} bits, at target ${targetBits}\n`
  const columns = [...sharedColumns, ...columnsOf[kind](linears)]
  const rows = linears.map((linear) => columns.map(({ cell }) => cell(linear)))
  return `${head}${notes[kind]}\n${markdownTable(columns, rows)}`
}

interface DecisionColumn extends Column {
  cell(linear: LinearDecision): string
}

/** A number in each row, to the right. */
const numbers = (title: string, cell: DecisionColumn['cell']): DecisionColumn => ({ title, right: true, cell })

const sharedColumns: DecisionColumn[] = [
  { title: 'module', cell: ({ module }) => module },
  numbers('loaded bits', ({ loadedBits }) => String(loadedBits)),
]

const pairColumns: DecisionColumn[] = [
  numbers('reads', ({ low, high }) => (low === high ? String(low) : `${low} or ${high}`)),
  numbers('more above', ({ thresholds }) => (thresholds.length === 0 ? '' : thresholds[0].toPrecision(4))),
  { title: 'estimator', cell: ({ estimator }) => (estimator === 'none' ? '' : estimator) },
]

const columnsOf: Record<ProfileDecisions['kind'], (linears: readonly LinearDecision[]) => DecisionColumn[]> = {
  static: () => [numbers('bits', ({ low }) => String(low))],
  fixed: () => pairColumns,
  threshold: () => [numbers('average bits', ({ averageBits }) => averageBits!.toFixed(3)), ...pairColumns],
  budget: (linears) => [
    numbers('at mean', ({ bitsAtMeanSensitivity }) => String(bitsAtMeanSensitivity)),
    ...stepBits(linears).map((bits) =>
      numbers(`${bits} bits above`, (linear) => {
        const threshold = thresholdOf(linear, bits)
        return threshold === undefined ? '' : formatMultiple(threshold)
      }),
    ),
  ],
}

const notes: Record<ProfileDecisions['kind'], string> = {
  static: '',
  fixed: '',
  threshold: '',
  budget: 'Sensitivities of the loss to a linear at a token, as multiples of their mean.\n',
}
