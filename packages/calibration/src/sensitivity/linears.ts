import { type Program, rowWidth } from '@dpllm/core'

/** A linear of a program, as a module of the model. */
export interface ProgramLinear {
  /** As in the checkpoint, without `.weight`; the head is `lm_head`, tied or not. */
  readonly module: string
  /** The weight that it reads: the embedding's matrix for a tied head. */
  readonly weight: string
  /** The value that it reads. */
  readonly x: string
  readonly rows: number
  readonly cols: number
}

/** The linears of a decoder's program, in order, the head last. */
export function linearsOf({ operators, values }: Program): ProgramLinear[] {
  return operators.flatMap((op) => {
    if (op.kind !== 'linear') return []
    const module = op.out === 'logits' ? 'lm_head' : op.weight.replace(/\.weight$/, '')
    const [rows, cols] = [op.out, op.x].map((name) => rowWidth(values[name].shape))
    return [{ module, weight: op.weight, x: op.x, rows, cols }]
  })
}
