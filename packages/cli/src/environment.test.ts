import { afterEach, expect, test, vi } from 'vitest'
import { EnvironmentCommand } from './environment.js'

afterEach(() => vi.unstubAllEnvs())

function parse(args: string[]): Record<string, unknown> {
  let found: Record<string, unknown> = {}
  const program = new EnvironmentCommand('dpllm')
  program
    .command('run')
    .option('--max-tokens <count>', '', Number)
    .option('--json', '')
    .option('--data <file>', '')
    .action((flags) => {
      found = flags
    })
  program.parse(['node', 'dpllm', 'run', ...args])
  return found
}

test('flags come from variables, the command line wins', () => {
  vi.stubEnv('DPLLM_MAX_TOKENS', '5')
  vi.stubEnv('DPLLM_JSON', '1')
  expect(parse([])).toEqual({ maxTokens: 5, json: true })
  expect(parse(['--max-tokens', '7'])).toEqual({ maxTokens: 7, json: true })
})

test.each(['0', 'false', ''])('a switch is off at %j', (value) => {
  vi.stubEnv('DPLLM_JSON', value)
  expect(parse([])).toEqual({})
})

test("the tests' data folder is not taken for a text", () => {
  vi.stubEnv('DPLLM_DATA', '/somewhere')
  expect(parse([])).toEqual({})
  vi.stubEnv('DPLLM_EVAL_DATA', 'text.txt')
  expect(parse([])).toEqual({ data: 'text.txt' })
})
