import { Command, type Option } from 'commander'

/** Flags whose variable would have another meaning elsewhere: DPLLM_DATA names the folder of the tests' data. */
const otherNames: Readonly<Record<string, string>> = { '--data': 'DPLLM_EVAL_DATA' }

/** A command whose flags can be set by variables too: --max-tokens by DPLLM_MAX_TOKENS. So can its sub-commands'. */
export class EnvironmentCommand extends Command {
  override createCommand(name?: string): Command {
    return new EnvironmentCommand(name)
  }

  override addOption(option: Option): this {
    bind(option)
    return super.addOption(option)
  }
}

function bind(option: Option): void {
  if (option.long === undefined || option.long === null) return
  const name = otherNames[option.long] ?? `DPLLM_${option.long.slice(2).toUpperCase().replaceAll('-', '_')}`
  // Commander turns a flag without a value on whatever its variable says.
  const isSwitch = !option.required && !option.optional
  const value = process.env[name]
  const off = isSwitch && value !== undefined && ['', '0', 'false'].includes(value)
  if (!off) option.env(name)
}
