/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/** What commands use of the process, so that they can run inside a test. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  /** Results. */
  readonly stdout: Output
  /** Progress and logs. */
  readonly stderr: Output
  /** Where SIGINT comes from. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>
}

/** The process's own. */
export function processIo(): Io {
  return { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signals: process }
}

/** The whole of a stream as UTF-8 text, without the newline at its end. */
export async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part))
  return withoutLastNewline(Buffer.concat(parts).toString('utf8'))
}

/** Files end with a newline that nobody means to be part of a prompt. */
export function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, '')
}
