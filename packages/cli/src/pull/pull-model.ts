import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { DpllmError, InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { writeError, writeWhole } from '@dpllm/core/node'
import { isModelFile, isRepositoryName } from './model-files.js'

export interface PullOptions {
  /** Folder to fill; files of the right size that are there already stay. */
  readonly out: string
  /** Branch, tag or commit; default main. */
  readonly revision?: string | undefined
  /** Default https://huggingface.co. */
  readonly hubUrl?: string | undefined
  /** For models that need a licence to be accepted. */
  readonly accessToken?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface PullResult {
  readonly directory: string
  readonly files: readonly string[]
  readonly bytes: number
}

/**
 * Fetches a model's folder from a Hugging Face hub. Every file appears whole or not at all; calling again goes on with
 * the files that are missing.
 * @param repository `meta-llama/Llama-3.2-1B`
 * @throws InvalidArgumentError, DpllmError ERR_DPLLM_HUB if the hub cannot be reached or does not give the files,
 * DpllmError ERR_DPLLM_WRITE if the system does not let them be written
 */
export async function pullModel(repository: string, options: PullOptions): Promise<PullResult> {
  const { out, revision, hubUrl, accessToken, signal, onProgress } = options
  if (!isRepositoryName(repository)) throw new InvalidArgumentError('repository', 'OWNER/NAME', repository)
  // Loaded here, since no other command needs it.
  const { listFiles, downloadFile } = await import('@huggingface/hub')
  const shared = {
    repo: repository,
    fetch: (url: Parameters<typeof fetch>[0], init?: RequestInit) => fetch(url, { ...init, ...(signal ? { signal } : {}) }),
    ...(revision === undefined ? {} : { revision }),
    ...(hubUrl === undefined ? {} : { hubUrl }),
    ...(accessToken === undefined ? {} : { accessToken }),
  }
  try {
    const files: { path: string; size: number }[] = []
    for await (const entry of listFiles(shared)) if (entry.type === 'file' && isModelFile(entry.path)) files.push(entry)
    if (!files.some((file) => file.path.endsWith('.safetensors'))) {
      throw hubError(repository, 'the repository has no .safetensors files')
    }
    await mkdir(out, { recursive: true }).catch((error) => {
      throw writeError(out, error)
    })
    const total = files.reduce((sum, { size }) => sum + size, 0)
    let done = 0
    const report = (bytes: number) => {
      done += bytes
      onProgress?.({ stage: 'pull', done, total, unit: 'B' })
    }
    for (const file of files) {
      const target = path.join(out, file.path)
      if ((await stat(target).catch(() => undefined))?.size === file.size) {
        report(file.size)
        continue
      }
      const blob = await downloadFile({ ...shared, path: file.path })
      if (blob === null) throw hubError(repository, `${file.path} is not there any more`)
      await writeBlob(target, blob, file.size, repository, report, signal)
    }
    return { directory: out, files: files.map((file) => file.path), bytes: total }
  } catch (error) {
    signal?.throwIfAborted()
    if (DpllmError.isInstance(error)) throw error
    throw hubError(repository, reasonOf(error), error)
  }
}

async function writeBlob(
  target: string,
  blob: Blob,
  size: number,
  repository: string,
  report: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await writeWhole(target, async (handle) => {
    let written = 0
    for await (const piece of blob.stream()) {
      signal?.throwIfAborted()
      await handle.writeFile(piece)
      written += piece.byteLength
      report(piece.byteLength)
    }
    if (written !== size) throw hubError(repository, `${path.basename(target)}: expected ${size} bytes, found ${written}`)
  })
}

function hubError(repository: string, reason: string, cause?: unknown): DpllmError {
  return new DpllmError('ERR_DPLLM_HUB', `${repository}: ${reason}`, { cause })
}

/** What went wrong, as the user can mend it. */
function reasonOf(error: unknown): string {
  const status = (error as { statusCode?: unknown })?.statusCode
  if (status === 401 || status === 403) return 'access denied; if the model needs a licence to be accepted, set HF_TOKEN'
  if (status === 404) return 'there is no such repository or revision'
  if (status !== undefined) return `the hub answered ${status}`
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = (cause as NodeJS.ErrnoException)?.code
  return `the hub cannot be reached (${code ?? (cause instanceof Error ? cause.message : String(cause))}); copy a model's folder here by other means, or set HF_ENDPOINT to a mirror`
}
