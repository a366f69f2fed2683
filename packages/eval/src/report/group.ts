import type { Subject } from './measurements.js'

/** Items by what `keyOf` says of them, in the order of their first. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/** Measurements of one figure: a model on a dataset, with one memory budget where methods have any. */
export interface Group<T> {
  readonly model: string
  readonly dataset: string
  readonly memoryBudget: number | null
  /** Those that have this budget, or none at all (uniform precisions). */
  readonly items: readonly T[]
  /** Of the unquantized model. */
  readonly baseline: T | undefined
  /** Distinguishes the figure where there are several: its model and budget, as far as they differ from others'. */
  readonly details: readonly string[]
  /** Whether others are of other datasets. */
  readonly namesDataset: boolean
}

export const isUnquantized = ({ method }: Subject): boolean => method === 'unquantized'

/** One group for each model, dataset and memory budget. */
export function figureGroups<T extends Subject>(measurements: readonly T[]): Group<T>[] {
  const groups = [...groupBy(measurements, ({ model, dataset }) => JSON.stringify([model, dataset])).values()].flatMap(
    (items) => {
      const budgets = [...new Set(items.map(({ memoryBudget }) => memoryBudget))].filter((budget) => budget !== null)
      const wanted = budgets.length === 0 ? [null] : budgets.sort((a, b) => a - b)
      const [{ model, dataset }] = items
      return wanted.map((memoryBudget) => ({
        model,
        dataset,
        memoryBudget,
        items: items.filter((item) => !isUnquantized(item) && (item.memoryBudget === memoryBudget || item.memoryBudget === null)),
        baseline: items.find(isUnquantized),
      }))
    },
  )
  const several = (key: 'model' | 'dataset' | 'memoryBudget') => new Set(groups.map((group) => group[key])).size > 1
  const [models, namesDataset, budgets] = [several('model'), several('dataset'), several('memoryBudget')]
  return groups.map((group) => {
    const budget = budgets && group.memoryBudget !== null ? [`${group.memoryBudget}-bit budget`] : []
    return { ...group, details: [...(models ? [group.model] : []), ...budget], namesDataset }
  })
}

/** Title with what distinguishes a figure. */
export function titled(
  title: string,
  { dataset, details, namesDataset }: Pick<Group<unknown>, 'dataset' | 'details' | 'namesDataset'>,
): string {
  const about = [...(namesDataset ? [dataset] : []), ...details].join(', ')
  return about === '' ? title : `${title}: ${about}`
}
