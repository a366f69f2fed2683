import { root } from './run.mjs'

/**
 * A package of this repository, as built.
 * @param {string} name its folder in packages
 */
export function importPackage(name) {
  return import(`${root}packages/${name}/dist/index.js`)
}
