const marker = Symbol.for('dpllm.error')

/**
 * Every error that this project throws on purpose. `message` says what was wanted, what was found and what to do;
 * `code` is stable across versions.
 */
export class DpllmError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(escapeControls(message, '\n\t'), options)
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, marker, { value: true })
  }

  /** Holds across two installed copies of this package, where `instanceof` does not. */
  static isInstance(error: unknown): error is DpllmError {
    return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[marker] === true
  }
}

/** A value given by the caller is not one that the function accepts. */
export class InvalidArgumentError extends DpllmError {
  readonly argument: string

  constructor(argument: string, wanted: string, found: unknown, options?: { cause?: unknown }) {
    super('ERR_DPLLM_ARGUMENT', `${argument}: expected ${wanted}, found ${describe(found)}`, options)
    this.argument = argument
  }
}

/** A file from outside is not what it should be. Names the file and, where there is one, the tensor or field. */
export class FileFormatError extends DpllmError {
  readonly file: string
  readonly item: string | undefined

  constructor(file: string, message: string, options?: { item?: string; cause?: unknown }) {
    const item = options?.item === undefined ? '' : `${shorten(options.item)}: `
    super('ERR_DPLLM_FILE', escapeControls(`${file}: ${item}${message}`), options)
    this.file = file
    this.item = options?.item
  }
}

/** The file is well formed, but this version cannot do what it asks for (an unknown architecture, say). */
export class UnsupportedError extends DpllmError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_DPLLM_UNSUPPORTED', message, options)
  }
}

/** A backend cannot be used here. */
export class BackendUnavailableError extends DpllmError {
  readonly backend: string

  constructor(backend: string, reason: string, options?: { cause?: unknown }) {
    super('ERR_DPLLM_BACKEND', `backend ${backend} cannot be used: ${reason}`, options)
    this.backend = backend
  }
}

function describe(found: unknown): string {
  if (typeof found === 'string') return JSON.stringify(shorten(found))
  if (typeof found === 'object' && found !== null) return Object.prototype.toString.call(found).slice(8, -1)
  return String(found)
}

/** Names of modules are some 60 characters long; what a hostile file calls a name can be megabytes. */
function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}

/** Escapes control characters but those in `kept`, as messages may quote hostile files and are printed on terminals. */
function escapeControls(message: string, kept = ''): string {
  return message.replace(/\p{Cc}/gu, (c) => (kept.includes(c) ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`))
}
