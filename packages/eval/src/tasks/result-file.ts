import { type FileHandle, open } from 'node:fs/promises'
import { DpllmError, FileFormatError, InvalidArgumentError, isJsonObject, parseJson } from '@dpllm/core'
import { exists, readText, writeError } from '@dpllm/core/node'
import type { SampleResult } from './answer.js'

/** Largest result file that is gone on with: the prompts of GSM8K with 5 examples have 6 MB. */
const MAX_BYTES = 2 ** 30

/** What decides a run's results: two runs of the same identity give the same file. Values of JSON. */
export type RunIdentity = Readonly<Record<string, unknown>>

/** The first line of a result file. */
const HEADER = { format: 'dpllm-task-results', version: 1 }

/** A file of results that grows by a line for each sample. */
export interface ResultFile extends AsyncDisposable {
  /** Results that were there already, of the run's first samples in order. */
  readonly results: readonly SampleResult[]
  /** Is on the disk when it returns. */
  append(result: SampleResult): Promise<void>
}

/**
 * Opens a file of results to go on with it, or makes it. A last line that a killed process left half written is dropped.
 * @throws InvalidArgumentError if it is another run's; FileFormatError if it is no such file
 */
export async function openResultFile(file: string, identity: RunIdentity): Promise<ResultFile> {
  const header = `${JSON.stringify({ ...HEADER, run: identity })}\n`
  const text = (await exists(file)) ? await readText(file, { maxBytes: MAX_BYTES }) : ''
  const complete = text.slice(0, text.lastIndexOf('\n') + 1)
  // A header that was cut off is the beginning of this one.
  if (complete === '' && !header.startsWith(text)) throw notResults(file)
  if (complete !== '') checkHeader(file, complete.slice(0, complete.indexOf('\n')), identity)
  const results = complete
    .split('\n')
    .slice(1, -1)
    .map((line, i) => readResult(file, line, i + 2))
  try {
    const handle = await open(file, complete === '' ? 'w' : 'r+')
    const begin = complete === '' ? header : ''
    await handle.truncate(Buffer.byteLength(complete))
    return growing(file, handle, results, Buffer.byteLength(complete), begin)
  } catch (error) {
    throw writeError(file, error)
  }
}

async function growing(
  file: string,
  handle: FileHandle,
  results: readonly SampleResult[],
  start: number,
  begin: string,
): Promise<ResultFile> {
  let position = start
  const write = async (line: string) => {
    try {
      const bytes = Buffer.from(line)
      const { size } = await handle.stat()
      if (size !== position)
        throw new DpllmError('ERR_DPLLM_WRITE', `${file}: has ${size} bytes, not ${position}: another process writes to it`)
      await handle.write(bytes, 0, bytes.length, position)
      await handle.datasync()
      position += bytes.length
    } catch (error) {
      throw writeError(file, error)
    }
  }
  if (begin !== '') await write(begin)
  return {
    results,
    append: (result) => write(`${JSON.stringify(result)}\n`),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

function checkHeader(file: string, line: string, identity: RunIdentity): void {
  const header = parseJson(line, { file })
  if (!isJsonObject(header) || header.format !== HEADER.format) throw notResults(file)
  if (header.version !== HEADER.version || !isJsonObject(header.run))
    throw new FileFormatError(file, `expected version ${HEADER.version}`, { item: 'header' })
  const found = header.run
  const names = new Set([...Object.keys(identity), ...Object.keys(found)])
  for (const name of names) {
    const [wanted, there] = [identity[name], found[name]].map((value) => JSON.stringify(value))
    if (wanted === there) continue
    const shown = (text: string | undefined) => text ?? 'none'
    throw new InvalidArgumentError(
      'output',
      `results of the same run in ${file} (give another file, or remove it)`,
      `results of another: ${name} is ${shown(there)}, not ${shown(wanted)}`,
    )
  }
}

function readResult(file: string, line: string, number: number): SampleResult {
  const value = parseJson(line, { file: `${file}, line ${number}` })
  const ok =
    isJsonObject(value) &&
    typeof value.id === 'string' &&
    isJsonObject(value.scores) &&
    Object.values(value.scores).every((score) => typeof score === 'number') &&
    typeof value.tokens === 'number' &&
    typeof value.effectiveBits === 'number'
  if (!ok) throw new FileFormatError(file, 'expected the result of a sample', { item: `line ${number}` })
  return value as unknown as SampleResult
}

function notResults(file: string): FileFormatError {
  return new FileFormatError(file, 'is not a file of task results, and is not written over')
}
