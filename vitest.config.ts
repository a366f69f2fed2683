import { defineConfig } from 'vitest/config'

// Tests run on the sources: the condition that every package's `exports` names first.
const conditions = ['@dpllm/source']

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, 'node', 'import', 'module', 'default'] } },
  resolve: { conditions },
  test: { include: ['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/*.test.ts'], testTimeout: 60_000 },
})
