import { DpllmError, FileFormatError } from '../errors.js'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EBADF: 'the file has been closed',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'is a folder, expected a file',
  ENOTDIR: 'is not inside a folder',
  ENOTEMPTY: 'there is a folder already',
  EEXIST: 'is there already',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
}

/** The operating system's code of an error ("ENOENT"), if it is one of its. */
function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}

/** The error to throw when a file could not be read: system errors as FileFormatError, others as they are. */
export function readError(file: string, error: unknown): unknown {
  const code = systemCode(error)
  return code === undefined ? error : new FileFormatError(file, `cannot be read: ${reasons[code] ?? code}`, { cause: error })
}

/** The error to throw when a file could not be written: system errors as DpllmError, others as they are. */
export function writeError(file: string, error: unknown): unknown {
  const code = systemCode(error)
  return code === undefined
    ? error
    : new DpllmError('ERR_DPLLM_WRITE', `${file}: cannot be written: ${reasons[code] ?? code}`, { cause: error })
}
