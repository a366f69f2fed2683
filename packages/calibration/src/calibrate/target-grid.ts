/** Averages nearer than this are one target. */
const ROUNDING = 1e-9

/**
 * The targets that were asked for, none beyond the least and the most bits, and between these those of a grid: so that a
 * profile serves every target.
 * @returns ascending, each once
 */
export function targetGrid(targets: readonly number[], least: number, most: number, step: number): number[] {
  const count = Math.max(0, Math.ceil((most - least) / step - ROUNDING) - 1)
  const grid = Array.from({ length: count }, (_, i) => least + (i + 1) * step)
  const all = [...targets, ...grid].map((target) => Math.min(Math.max(target, least), most)).sort((a, b) => a - b)
  return all.filter((t, i) => i === 0 || t - all[i - 1] > ROUNDING)
}
