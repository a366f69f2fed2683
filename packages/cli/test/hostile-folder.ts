import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { type CommandResult, runCommand } from '../src/testing/run-command.js'

/** Changes the bytes of a file; undefined removes it. */
export type Damage = (bytes: Buffer) => Uint8Array | undefined

/** A copy of a model in a folder of its own, to be damaged, and whatever commands write beside it. */
export interface HostileFolder extends AsyncDisposable {
  readonly model: string
  /** Damages a file of the model. The one before is put right. */
  damage(file: string, damage: Damage): Promise<void>
  /** The command line of a command on the model; what it makes would lie in this folder. */
  args(command: CommandName): string[]
  /** Runs it and checks that it leaves this folder as it was, unless it succeeds. */
  run(command: CommandName): Promise<CommandResult>
}

const text = 'the cat and the hat sat on the mat. '.repeat(10)

/** The profile that calibrations make. */
const MADE = 'made'

/** Command lines by name; each ends within some 50 ms on a tiny model. */
const commandLines = {
  quantize: (model: string, out: string) => ['quantize', model, '-o', out, '-q'],
  'quantize --no-calib': (model: string, out: string) => ['quantize', model, '-o', out, '--no-calib', '-q'],
  run: (model: string) => ['run', model, '-p', 'the', '-n', '2', '--temp', '0', '-q'],
  'run at a target': (model: string) => ['run', model, '-p', 'the', '-n', '2', '--temp', '0', '--target-bits', '3.5', '-q'],
  'eval ppl': (model: string, _: string, data: string) => [
    'eval',
    'ppl',
    model,
    '--data',
    data,
    '--ctx',
    '16',
    '--chunks',
    '1',
    '-q',
  ],
  calibrate: (model: string, _: string, data: string) => [
    'calibrate',
    model,
    '--calib',
    data,
    '--memory-budget',
    '4',
    '--target',
    '3.5',
    '--seq-len',
    '16',
    '--samples',
    '2',
    '--name',
    MADE,
    '-q',
  ],
  inspect: (model: string) => ['inspect', model],
  'inspect a profile': (model: string) => ['inspect', model, '--profile', 'dp-llm-4'],
}
export type CommandName = keyof typeof commandLines

export async function hostileFolder(source: string): Promise<HostileFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dpllm-hostile-'))
  const model = path.join(folder, 'model')
  const data = path.join(folder, 'text.txt')
  await cp(source, model, { recursive: true })
  await writeFile(data, text)
  let restore = async () => {}
  const args = (command: CommandName) => commandLines[command](model, path.join(folder, 'out'), data)
  return {
    model,
    args,
    async damage(file, damage) {
      await restore()
      const target = path.join(model, file)
      const original = await readFile(target)
      restore = () => writeFile(target, original)
      const bytes = damage(Buffer.from(original))
      await (bytes === undefined ? rm(target) : writeFile(target, bytes))
    },
    async run(command) {
      const before = await readTree(folder)
      const result = await runCommand(args(command))
      const made = [
        path.join(folder, 'out'),
        ...['json', 'safetensors'].map((type) => path.join(model, 'profiles', `${MADE}.${type}`)),
      ]
      if (result.code === 0) await Promise.all(made.map((file) => rm(file, { recursive: true, force: true })))
      else expect(await readTree(folder)).toEqual(before)
      return result
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A hash of every file in a folder and its folders, by path; folders have an empty one. */
async function readTree(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    tree[file] = entry.isDirectory()
      ? ''
      : createHash('sha256')
          .update(await readFile(file))
          .digest('hex')
  }
  return tree
}

/** Checks that a command refused its input in one line, without a stack and without results. */
export function expectRefusal({ code, stdout, stderr }: CommandResult): void {
  expect(stderr).toMatch(/^dpllm: [^\n]+\n$/)
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(stderr).not.toContain('unexpected error')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
}
