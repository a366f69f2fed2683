import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { expect } from 'vitest'

/** When a child is to be killed: `delay` ms after it has reported `steps` steps. */
export interface Kill {
  readonly steps: number
  readonly delay: number
}

const never: Kill = { steps: -1, delay: 0 }

/**
 * Bundles a file of this folder into `directory`, to be run as a process.
 * @returns runs it with arguments; the steps that it says it took, or undefined if it was killed
 */
export async function bundleChild(name: string, directory: string) {
  await build({
    entry: { child: fileURLToPath(new URL(name, import.meta.url)) },
    outDir: directory,
    config: false,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    silent: true,
    noExternal: [/.*/],
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions: (options) => {
      options.conditions = ['@dpllm/source']
    },
  })
  return async (args: readonly string[], kill: Kill = never): Promise<number | undefined> => {
    const child = spawn(process.execPath, [join(directory, 'child.mjs'), ...args, String(kill.steps), String(kill.delay)])
    let output = ''
    let errors = ''
    child.stdout.on('data', (data) => {
      output += data
    })
    child.stderr.on('data', (data) => {
      errors += data
    })
    const [code, signal] = await new Promise<unknown[]>((resolve) => child.on('close', (...ending) => resolve(ending)))
    if (signal === 'SIGKILL') return undefined
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    return Number(output)
  }
}
