import type { BackendName, BackendOptions } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { integer } from './parse.js'

/** Flags that choose what a model runs on. */
export interface BackendFlags {
  readonly backend: BackendName | 'auto'
  readonly threads?: number
  readonly arithmetic?: 'fast' | 'precise'
  readonly kvCache?: 'f32' | 'f16'
}

export function addBackendFlags(command: Command): Command {
  return command
    .addOption(new Option('--backend <name>', 'what to run on').choices(['auto', 'cpu', 'cuda', 'reference']).default('auto'))
    .addOption(new Option('-t, --threads <count>', 'CPU threads (default: one for each core)').argParser(integer(1, 1024)))
    .addOption(
      new Option('--arithmetic <kind>', '8-bit (fast) or 16-bit (precise) activations on the CPU').choices(['fast', 'precise']),
    )
    .addOption(
      new Option('--kv-cache <type>', 'type of cached keys and values on the CPU (default: f32)').choices(['f32', 'f16']),
    )
}

/** What they mean to the library. */
export function backendOptions(flags: BackendFlags): BackendOptions & { backend: BackendName | 'auto' } {
  return { backend: flags.backend, threads: flags.threads, arithmetic: flags.arithmetic, cache: flags.kvCache }
}
