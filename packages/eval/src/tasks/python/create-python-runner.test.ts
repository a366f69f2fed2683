import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DpllmError } from '@dpllm/core'
import { describe, expect, test } from 'vitest'
import { createPythonRunner } from './create-python-runner.js'

const python = spawnSync('python3', ['--version']).status === 0

describe.skipIf(!python)('programs', { timeout: 60_000 }, () => {
  test('what they do decides, not what they print or how they leave', async () => {
    const { run } = await createPythonRunner()
    const cases: readonly [string, string][] = [
      ['def add(a, b):\n  return a + b\nassert add(1, 2) == 3', 'passed'],
      ['import math, re, heapq as hq\nassert math.sqrt(4) == 2', 'passed'],
      ['print("dpllm: passed")\nassert False', 'failed'],
      ['import os\nos._exit(0)', 'failed'],
      ['import sys\nsys.exit(0)', 'failed'],
      ['def broken(:', 'failed'],
      ['raise ValueError', 'failed'],
    ]
    for (const [program, wanted] of cases) expect(await run(program), program).toBe(wanted)
  })

  test('time and memory are limited', async () => {
    const { run } = await createPythonRunner({ seconds: 0.5, megabytes: 256 })
    expect(await run('while True: pass')).toBe('timed out')
    expect(await run('import time\ntime.sleep(60)')).toBe('timed out')
    if (process.platform === 'linux') expect(await run('x = bytearray(512 * 2 ** 20)')).toBe('failed')
    expect(await run('x = bytearray(8 * 2 ** 20)')).toBe('passed')
  })

  test('files, processes and the network are out of reach', async () => {
    const { run, networkBlocked } = await createPythonRunner()
    const file = path.join(tmpdir(), `dpllm-guard-${process.pid}`)
    const program = (body: string) => `try:\n  ${body}\nexcept (PermissionError, OSError):\n  pass\nelse:\n  assert False`
    for (const body of [
      `open(${JSON.stringify(file)}, "w")`,
      `import os; os.open(${JSON.stringify(file)}, os.O_CREAT | os.O_WRONLY)`,
      'import os; os.remove("/etc/hostname")',
      'import os; os.fork()',
      'import subprocess; subprocess.run(["true"])',
      'import os; os.system("true") == 0 or (_ for _ in ()).throw(OSError())',
      'import socket; socket.create_connection(("127.0.0.1", 9), 1)',
      'import ctypes; ctypes.CDLL(None)',
      'import shutil; shutil.rmtree("/nowhere")',
    ])
      expect(await run(program(body)), body).toBe('passed')
    expect(existsSync(file)).toBe(false)
    expect(typeof networkBlocked).toBe('boolean')
  })

  test('an abort ends them', async () => {
    const { run } = await createPythonRunner({ seconds: 30 })
    const reason = new Error('enough')
    const controller = new AbortController()
    const running = run('import time\ntime.sleep(20)', controller.signal)
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
  })
})

test('no Python is said', async () => {
  const error = await createPythonRunner({ python: 'no-such-python' }).catch((e: unknown) => e)
  expect(DpllmError.isInstance(error) && error.code).toBe('ERR_DPLLM_PYTHON')
})
