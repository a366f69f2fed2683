import type { Command, Option } from 'commander'

/** Flags whose variable would have another meaning elsewhere: DPLLM_DATA names the folder of the tests' data. */
const otherNames: Readonly<Record<string, string>> = { '--data': 'DPLLM_EVAL_DATA' }

/** Makes every flag of a command and its sub-commands settable by a variable DPLLM_<FLAG>: --max-tokens by DPLLM_MAX_TOKENS. */
export function bindEnvironment(command: Command): void {
  for (const option of command.options) if (option.long && option.long !== '--version') bind(option, option.long)
  for (const sub of command.commands) bindEnvironment(sub)
}

function bind(option: Option, long: string): void {
  const name = otherNames[long] ?? `DPLLM_${long.slice(2).toUpperCase().replaceAll('-', '_')}`
  // Commander turns a flag without a value on whatever its variable says.
  const takesValue = option.required || option.optional
  if (takesValue || !['', '0', 'false'].includes(process.env[name] ?? '')) option.env(name)
}
