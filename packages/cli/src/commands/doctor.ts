import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { probeCpu } from '@dpllm/cpu-kernels'
import { automaticBackend, probeBackends } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { colorsFor } from '../output/colors.js'
import { formatBytes } from '../output/format.js'
import { writeJson } from '../output/json.js'
import { packageVersion } from '../version.js'

/** `dpllm doctor`: what can be used here, and why not the rest. */
export function addDoctor(program: Command, { io }: CommandContext): void {
  program
    .command('doctor')
    .description('say what can be used here, and why the rest cannot')
    .option('--json', 'print everything as JSON')
    .action(({ json }: { json?: boolean }) => {
      const report = examine()
      if (json) return writeJson(io.stdout, report)
      const { green, yellow, bold } = colorsFor(io.stdout)
      const { dpllm, node, platform, processor, cores, memory, backends, selected, cpu } = report
      const lines = [
        `dpllm ${dpllm} on node ${node}, ${platform}`,
        `${processor}, ${cores} cores usable, ${formatBytes(memory.free)} of ${formatBytes(memory.total)} memory free`,
        '',
        ...backends.map(
          ({ name, usable, detail }) => `${usable ? green('usable    ') : yellow('not usable')}  ${name.padEnd(9)}  ${detail}`,
        ),
        '',
        `--backend auto takes ${bold(selected)}`,
      ]
      if (cpu.ok)
        lines.splice(
          -2,
          0,
          `cpu instruction sets: ${cpu.available.join(', ')}; default ${cpu.instructions} on ${cpu.threads} threads; addon: ${cpu.origin}`,
        )
      io.stdout.write(`${lines.join('\n')}\n`)
    })
}

function examine() {
  const backends = probeBackends()
  return {
    dpllm: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    backends,
    /** What `--backend auto` takes. */
    selected: automaticBackend(),
    cpu: probeCpu(),
  }
}
