import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['google-chrome-stable', 'google-chrome', 'chromium']

/** Where tests find a browser: the variable CHROMIUM, or one of the usual names on PATH. Undefined if there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const wanted = process.env.CHROMIUM
  const candidates = wanted ? [wanted] : names.flatMap((name) => folders.map((folder) => path.join(folder, name)))
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Without its sandbox, which wants rights that root and containers do not give: the pages are our own. */
export async function startChromium(executablePath: string): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}
