export type { ExitCode } from './exit-code.js'
export type { Io, Output } from './io.js'
export { main, run } from './main.js'
