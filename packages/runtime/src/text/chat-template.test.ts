import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { FileFormatError, InvalidArgumentError, UnsupportedError } from '@dpllm/core'
import { describe, expect, test } from 'vitest'
import { folder } from '../../test/tokenizers.js'
import { type ChatTemplate, loadChatTemplate, renderChat } from './chat-template.js'

const zephyr = [
  '{% for message in messages %}',
  "{% if message['role'] == 'user' %}",
  "{{ '<|user|>\\n' + message['content'] + eos_token }}",
  "{% elif message['role'] == 'system' %}",
  "{{ '<|system|>\\n' + message['content'] + eos_token }}",
  "{% elif message['role'] == 'assistant' %}",
  "{{ '<|assistant|>\\n'  + message['content'] + eos_token }}",
  '{% endif %}',
  '{% if loop.last and add_generation_prompt %}',
  "{{ '<|assistant|>' }}",
  '{% endif %}',
  '{% endfor %}',
].join('\n')

const template = (source: string): ChatTemplate => ({ file: 'chat_template.jinja', source })
const hello = [{ role: 'user', content: 'Hello' }]

test('renders a chat as TinyLlama knows it', () => {
  const messages = [{ role: 'system', content: 'Be kind.' }, ...hello]
  expect(renderChat(template(zephyr), messages, { eosToken: '</s>' })).toBe(
    '<|system|>\nBe kind.</s>\n<|user|>\nHello</s>\n<|assistant|>\n',
  )
  expect(renderChat(template(zephyr), hello, { eosToken: '</s>', addGenerationPrompt: false })).toBe('<|user|>\nHello</s>\n')
})

test('gives templates the tokens and further variables', () => {
  const source = '{{ bos_token }}{{ date_string }} {{ tools[0].name }} {{ messages[0].mood }}'
  const variables = { date_string: '2024', tools: [{ name: 'search' }] }
  expect(renderChat(template(source), [{ ...hello[0], mood: 'good' }], { bosToken: '<s>', variables })).toBe(
    '<s>2024 search good',
  )
})

test('what the template says about the messages is an error of the argument', () => {
  const source = "{% if messages[0].role != 'system' %}{{ raise_exception('a system message is needed') }}{% endif %}"
  const render = () => renderChat(template(source), hello)
  expect(render).toThrow(InvalidArgumentError)
  expect(render).toThrow('a system message is needed')
})

test.each(['{% if %}', '{{ undefined_function() }}', '{{ messages | no_such_filter }}', '{% for x in 3 %}{% endfor %}'])(
  'a broken template: %s',
  (source) => {
    const render = () => renderChat(template(source), hello)
    expect(render).toThrow(FileFormatError)
    expect(render).toThrow('chat_template.jinja: chat_template: the template fails')
  },
)

test('says what to do about a model without a template', () => {
  const render = () => renderChat(undefined, hello)
  expect(render).toThrow(UnsupportedError)
  expect(render).toThrow('give the prompt as text')
})

test('refuses what are no messages', () => {
  expect(() => renderChat(template(zephyr), [])).toThrow('messages: expected at least one message')
  expect(() => renderChat(template(zephyr), [{ role: 'user' } as never])).toThrow('messages[0].content: expected a string')
})

async function load(files: Record<string, unknown>, name?: string) {
  await using directory = await folder(files)
  const found = await loadChatTemplate(directory.path, name)
  return found && { file: path.basename(found.file), source: found.source }
}

const named = [
  { name: 'default', template: 'D' },
  { name: 'tool_use', template: 'T' },
]

test('finds templates where models keep them', async () => {
  expect(await load({})).toBeUndefined()
  expect(await load({ 'tokenizer_config.json': {} })).toBeUndefined()
  expect(await load({ 'tokenizer_config.json': { chat_template: 'C' } })).toEqual({ file: 'tokenizer_config.json', source: 'C' })
  expect(await load({ 'tokenizer_config.json': { chat_template: named } })).toMatchObject({ source: 'D' })
  expect(await load({ 'tokenizer_config.json': { chat_template: named } }, 'tool_use')).toMatchObject({ source: 'T' })
  expect(await load({ 'tokenizer_config.json': { chat_template: 'C' } }, 'tool_use')).toBeUndefined()
  expect(
    await load({ 'chat_template.json': { chat_template: 'J' }, 'tokenizer_config.json': { chat_template: 'C' } }),
  ).toMatchObject({ source: 'J' })
  const all = { 'chat_template.jinja': 'F', 'tokenizer_config.json': { chat_template: named } }
  expect(await load(all)).toEqual({ file: 'chat_template.jinja', source: 'F' })
  expect(await load(all, 'tool_use')).toMatchObject({ source: 'T' })
})

test.each<[string, Record<string, unknown>]>([
  ['a number', { chat_template: 1 }],
  ['a list of texts', { chat_template: ['x'] }],
  ['far too long', { chat_template: 'x'.repeat(2 ** 20 + 1) }],
])('broken tokenizer_config.json: %s', async (_, config) => {
  await expect(load({ 'tokenizer_config.json': config })).rejects.toThrow(FileFormatError)
})

const data = process.env.DPLLM_DATA

describe.skipIf(!data)('real templates', () => {
  test('Llama 3', async () => {
    const source = await readFile(path.join(data as string, 'tokenizers/llama3.tokenizer_config.json'), 'utf8')
    const found = await load({ 'tokenizer_config.json': source })
    const messages = [{ role: 'system', content: 'Be kind. ' }, ...hello]
    expect(renderChat(found, messages, { bosToken: '<|begin_of_text|>' })).toBe(
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>' +
        '<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    )
  })
})
