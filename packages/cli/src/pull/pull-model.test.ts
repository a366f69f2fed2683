import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../testing/run-command.js'
import { isModelFile, isRepositoryName } from './model-files.js'

const files: Record<string, Buffer> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{}'),
  'model-00001-of-00002.safetensors': Buffer.alloc(3_000_000, 1),
  'model-00002-of-00002.safetensors': Buffer.alloc(10, 2),
  'pytorch_model.bin': Buffer.alloc(5, 3),
}
const fetched: string[] = []
let server: Server
let hub: string
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-pull-'))
  // As much of a hub as the client asks for: the tree, then ranges of files.
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://hub')
    if (url.pathname === '/api/models/someone/model/tree/main') {
      const tree = Object.entries(files).map(([name, data]) => ({ type: 'file', path: name, size: data.length }))
      return void response.end(
        JSON.stringify([
          ...tree,
          { type: 'file', path: '../evil/model.safetensors', size: 1 },
          { type: 'directory', path: 'onnx', size: 0 },
        ]),
      )
    }
    const name = url.pathname.replace('/someone/model/resolve/main/', '')
    const data = files[name]
    if (data === undefined) return void response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end()
    const [, first = '0', last = String(data.length - 1)] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
    const part = data.subarray(Number(first), Number(last || data.length - 1) + 1)
    if (part.length > 1) fetched.push(name)
    response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/${data.length}`, ETag: '"x"' }).end(part)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

test('fetches what a model needs, and only what is missing the second time', async () => {
  const out = path.join(folder, 'model')
  const pull = () => runCommand(['pull', 'someone/model', '-o', out, '--hub', hub, '--json', '-q'])
  const { code, stdout, stderr } = await pull()
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const wanted = Object.keys(files).filter((name) => name !== 'pytorch_model.bin')
  expect(JSON.parse(stdout)).toMatchObject({ files: wanted })
  expect((await readdir(out)).sort()).toEqual([...wanted].sort())
  for (const name of wanted) expect((await readFile(path.join(out, name))).equals(files[name]), name).toBe(true)

  await rm(path.join(out, 'model-00002-of-00002.safetensors'))
  fetched.length = 0
  expect((await pull()).code).toBe(0)
  expect(new Set(fetched)).toEqual(new Set(['model-00002-of-00002.safetensors']))
})

test('no such repository, no hub, no name: typed errors, exit code 1', async () => {
  const missing = await runCommand(['pull', 'someone/other', '-o', path.join(folder, 'x'), '--hub', hub, '-q'])
  expect(missing).toMatchObject({ code: 1, stderr: 'dpllm: someone/other: there is no such repository or revision\n' })
  const offline = await runCommand(['pull', 'someone/model', '-o', path.join(folder, 'y'), '--hub', 'http://127.0.0.1:1', '-q'])
  expect(offline.stderr).toMatch(/^dpllm: someone\/model: the hub cannot be reached \(.+\); .*\n$/)
  expect(offline.code).toBe(1)
  const name = await runCommand(['pull', '../../etc', '-o', path.join(folder, 'z'), '--hub', hub, '-q'])
  expect(name.stderr).toMatch(/^dpllm: repository: expected OWNER\/NAME/)
  expect(await readdir(folder)).toEqual(['model'])
})

test('names from a hub are plain names of files that a model needs', () => {
  for (const name of ['config.json', 'model.safetensors', 'model-00001-of-00030.safetensors', 'tokenizer.json', 'LICENSE']) {
    expect(isModelFile(name), name).toBe(true)
  }
  for (const name of [
    '../config.json',
    '/config.json',
    'a/config.json',
    'consolidated.safetensors',
    '.env',
    'model.safetensors\n',
    'x.bin',
  ]) {
    expect(isModelFile(name), name).toBe(false)
  }
  expect(isRepositoryName('meta-llama/Llama-3.2-1B')).toBe(true)
  for (const name of ['gpt2', '../x', 'a/b/c', 'a/..', 'a/b?x', '']) expect(isRepositoryName(name), name).toBe(false)
})
