import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../scripts/build-native.mjs', import.meta.url))

test.each([{ DPLLM_NATIVE: 'off' }, { CXX: '/nowhere/c++' }, { PATH: '/nowhere' }])(
  'without what it takes, the build says so in one line and succeeds: %o',
  (env) => {
    const result = spawnSync(process.execPath, [script], { env: { ...process.env, ...env }, encoding: 'utf8' })
    expect(result.stderr).toMatch(/^@dpllm\/cuda-kernels: not built \(.+\); other backends will be used\n$/)
    expect(result.stdout).toBe('')
    expect(result.status).toBe(0)
  },
)
