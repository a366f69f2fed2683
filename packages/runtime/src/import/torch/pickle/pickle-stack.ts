import { makeTuple, type StackTuple, type StackValue } from './pickle-values.js'

/** The memory of the machine that reads a pickle: a stack with marks, and the memo of values that come again. */
export interface PickleStack {
  push(value: StackValue): void
  /** The last value, which stays. */
  top(): StackValue
  pop(): StackValue
  /** Takes the last `count` values. */
  popTuple(count: number): StackTuple
  mark(): void
  /** Takes what was pushed since the last mark, and the mark. */
  popMarked(): StackValue[]
  /** Keeps the last value as number `index` of the memo, by default the next. */
  keep(index?: number): void
  recall(index: number): StackValue
  /** Whether nothing is left, not even a mark. */
  isEmpty(): boolean
}

/** @param fail makes the error that every method throws when there is no such value */
export function createPickleStack(fail: (message: string) => Error): PickleStack {
  const stack: StackValue[] = []
  const memo = new Map<number, StackValue>()
  /** Heights of the stack at open marks; values below the last one are out of reach. */
  const marks: number[] = []

  const top = (): StackValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw fail('takes more values than there are')
    return stack[stack.length - 1]
  }
  const pop = (): StackValue => {
    const value = top()
    stack.pop()
    return value
  }
  return {
    push: (value) => stack.push(value),
    top,
    pop,
    popTuple: (count) => {
      const items: StackValue[] = []
      for (let i = 0; i < count; i++) items.push(pop())
      return makeTuple(items.reverse())
    },
    mark: () => marks.push(stack.length),
    popMarked: () => {
      const height = marks.pop()
      if (height === undefined) throw fail('closes a mark that is not open')
      return stack.splice(height)
    },
    keep: (index = memo.size) => memo.set(index, top()),
    recall: (index) => {
      const value = memo.get(index)
      if (value === undefined) throw fail(`recalls value ${index}, which was not kept`)
      return value
    },
    isEmpty: () => stack.length === 0 && marks.length === 0,
  }
}
