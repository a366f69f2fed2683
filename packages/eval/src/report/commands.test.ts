import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { mergeCommands } from './commands.js'

const commands = [
  'dpllm eval ppl original --data x.txt',
  "dpllm eval ppl 'my model' --data x.txt --target-bits 3.5",
  "dpllm eval ppl 'my model' --data x.txt --target-bits 4",
  'dpllm eval ppl other --precision 4 --data x.txt',
  'dpllm eval ppl other --precision 5 --data x.txt',
  'dpllm eval ppl other --precision 5 --data x.txt',
  'dpllm eval ppl last --target-bits 3.5 --precision 4',
]

test('commands that differ in their bits alone become a loop', () => {
  expect(mergeCommands(commands)).toEqual([
    commands[0],
    "for bits in 3.5 4; do\n  dpllm eval ppl 'my model' --data x.txt --target-bits $bits\ndone",
    'for bits in 4 5; do\n  dpllm eval ppl other --precision $bits --data x.txt\ndone',
    commands[6],
  ])
})

test.skipIf(process.platform === 'win32')('a shell runs each once, as it stands', () => {
  const all = [
    ...commands,
    'dpllm a "b  $c" --precision 3',
    "dpllm a 'it'\\''s' --precision 3",
    "dpllm a 'it'\\''s' --precision 4",
  ]
  const run = (text: string) =>
    execFileSync('sh', ['-c', `dpllm() { printf '<%s>' "$@"; echo; }\n${text}`], { encoding: 'utf8', env: {} })
      .split('\n')
      .sort()
  expect(run(mergeCommands(all).join('\n'))).toEqual(run([...new Set(all)].join('\n')))
})

test('what the loop would change stays as it is: flags inside of quotes, a variable of its name', () => {
  const quoted = [
    'dpllm $bits --precision 3',
    'dpllm $bits --precision 4',
    "dpllm x ' --precision 3 '",
    "dpllm x ' --precision 4 '",
  ]
  expect(mergeCommands(quoted)).toEqual(quoted)
})
