import { readFileSync } from 'node:fs'

/** The version in this package's package.json, which stands above both `src` and `dist`. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}
