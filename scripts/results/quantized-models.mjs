import { make } from './measure.mjs'

/**
 * Folder of a model that a study has made.
 * @param {string} work
 * @param {string} study
 * @param {string} id of the variant
 * @param {number} [seed]
 */
export function folderOf(work, study, id, seed) {
  return `${work}/${study}-${id}${seed === undefined ? '' : `-seed${seed}`}`
}

/**
 * The model of a study's variant, made unless it is there: quantized, or another's with its tables of some bit counts tuned and
 * those of the others as they were.
 */
export function makeVariant(work, study, original, { id, quantize, tune }, seed) {
  const folder = folderOf(work, study, id, seed)
  if (tune) {
    const bits = ['--bits', tune.bits.join(',')]
    return make(folder, 'tune', folderOf(work, study, tune.of), '--original', original, ...bits, ...tune.flags)
  }
  return make(folder, 'quantize', original, ...quantize, ...(seed === undefined ? [] : ['--seed', String(seed)]))
}
