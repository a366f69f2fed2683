import type { Command } from 'commander'
import { addBench } from './commands/bench.js'
import { addCalibrate } from './commands/calibrate.js'
import { addChat } from './commands/chat.js'
import { addDoctor } from './commands/doctor.js'
import { addEval } from './commands/eval-ppl.js'
import { addExport } from './commands/export.js'
import { addImport } from './commands/import.js'
import { addInspect } from './commands/inspect.js'
import { addPull } from './commands/pull.js'
import { addQuantize } from './commands/quantize.js'
import { addReport } from './commands/report.js'
import { addRun } from './commands/run.js'
import { addSweep } from './commands/sweep.js'
import { addTune } from './commands/tune.js'
import type { CommandContext } from './context.js'
import { EnvironmentCommand } from './environment.js'
import { packageVersion } from './version.js'

/** The command line's grammar; every command is a file in `commands/`. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.io
  const program = new EnvironmentCommand('dpllm')
    .description('Language models at any precision: one quantized file, from 3 to 8 bits, decided per layer and token.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'dpllm: ')),
    })
    .showHelpAfterError('(--help lists the options)')
    .addHelpText('after', '\nEvery flag can be set by a variable too: --max-tokens by DPLLM_MAX_TOKENS.')
  const commands = [
    addRun,
    addChat,
    addQuantize,
    addTune,
    addCalibrate,
    addInspect,
    addEval,
    addSweep,
    addReport,
    addBench,
    addImport,
    addExport,
    addPull,
    addDoctor,
  ]
  for (const add of commands) {
    add(program, context)
  }
  return program
}
