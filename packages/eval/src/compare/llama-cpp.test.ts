import { DpllmError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { type NodeLlamaCpp, openLlamaCpp, PeerUnavailableError } from './llama-cpp.js'

/** What node-llama-cpp would have been asked. */
function fakePeer(generated: number[] = []) {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    async (...given: unknown[]): Promise<void> =>
      void calls.push([name, ...given])
  const peer: NodeLlamaCpp = {
    getLlama: async (settings) => {
      calls.push(['getLlama', settings])
      return {
        dispose: note('dispose'),
        loadModel: async (options) => {
          calls.push(['loadModel', options])
          if (options.modelPath === 'broken.gguf') throw new Error('not a GGUF file')
          return {
            size: 300,
            fileInfo: { fullTensorInfo: [{ dimensions: [16, 20] }, { dimensions: [80n] }] },
            createContext: async (context) => {
              calls.push(['createContext', context])
              return {
                getSequence: () => ({
                  clearHistory: note('clear'),
                  evaluateWithoutGeneratingNewTokens: note('read'),
                  evaluate: async function* ([first]) {
                    generated.push(first)
                    for (;;) generated.push((yield 0) ?? -1)
                  },
                }),
              }
            },
          }
        },
      }
    },
  }
  return { calls, load: async () => peer }
}

test('a GGUF file runs on as many threads, and decodes the tokens that are given', async () => {
  const generated: number[] = []
  const { calls, load } = fakePeer(generated)
  const llama = await openLlamaCpp('model.gguf', { threads: 3, contextLength: 64, load })
  expect(calls).toEqual([
    ['getLlama', expect.objectContaining({ gpu: false, build: 'never', maxThreads: 3 })],
    ['loadModel', { modelPath: 'model.gguf', gpuLayers: 0 }],
    ['createContext', { contextSize: 65, batchSize: 512, threads: 3 }],
  ])
  calls.length = 0
  await llama.read(Uint32Array.of(7, 8))
  await llama.decode(Uint32Array.of(4, 5, 6))
  expect(calls).toEqual([['clear'], ['read', [7, 8]], ['clear']])
  expect(generated).toEqual([4, 5, 6])
  expect(llama.name).toBe('model.gguf')
  expect(llama.bitsPerWeight()).toBe(6)
  await llama[Symbol.asyncDispose]()
  expect(calls.at(-1)).toEqual(['dispose'])
})

test('what cannot be opened is given back', async () => {
  const { calls, load } = fakePeer()
  await expect(openLlamaCpp('broken.gguf', { threads: 1, load })).rejects.toThrow('not a GGUF file')
  expect(calls.at(-1)).toEqual(['dispose'])
})

test('without node-llama-cpp, or without its binary, an error says what to install', async () => {
  // It is no dependency of this repository.
  const missing = await openLlamaCpp('model.gguf', { threads: 1 }).catch((error: unknown) => error)
  expect(missing).toBeInstanceOf(PeerUnavailableError)
  expect(missing).toMatchObject({ peer: 'node-llama-cpp', code: 'ERR_DPLLM_PEER' })
  expect((missing as Error).message).toMatch(/not installed; install it .*npm i node-llama-cpp/)
  expect(DpllmError.isInstance(missing)).toBe(true)

  const unusable = async () => ({ getLlama: () => Promise.reject(new Error('NoBinaryFoundError')) })
  await expect(openLlamaCpp('model.gguf', { threads: 1, load: unusable })).rejects.toThrow(/NoBinaryFoundError.*platform/)
})
