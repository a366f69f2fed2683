import { DpllmError } from '@dpllm/core'
import type { Contender } from './contender.js'

/** What is used of node-llama-cpp (3.x), which is not a dependency. */
export interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string; gpuLayers: number }): Promise<LlamaModel>
    dispose(): Promise<void>
  }>
}

interface LlamaModel {
  /** Bytes of the tensors. */
  readonly size: number
  readonly fileInfo: { readonly fullTensorInfo?: readonly { readonly dimensions: readonly (number | bigint)[] }[] }
  createContext(options: { contextSize: number; batchSize: number; threads: number }): Promise<{ getSequence(): LlamaSequence }>
}

interface LlamaSequence {
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: number[]): Promise<void>
  evaluate(
    tokens: number[],
    options: { temperature: number; yieldEogToken: boolean },
  ): AsyncGenerator<number, void, undefined | number>
}

/** Another engine to compare with is not installed, or not usable here. */
export class PeerUnavailableError extends DpllmError {
  readonly peer: string

  constructor(peer: string, reason: string, options?: { cause?: unknown }) {
    super('ERR_DPLLM_PEER', `${peer} cannot be compared with: ${reason}`, options)
    this.peer = peer
  }
}

export interface LlamaCppOptions {
  readonly threads: number
  /** Longest prompt or run of tokens; default 512. */
  readonly contextLength?: number | undefined
  /** Default the file's. */
  readonly name?: string | undefined
  /** How node-llama-cpp is loaded; default `import('node-llama-cpp')`. */
  readonly load?: (() => Promise<NodeLlamaCpp>) | undefined
}

/**
 * A GGUF file in llama.cpp, by node-llama-cpp, on the CPU. Decoding is node-llama-cpp's own, greedy sampling included; the token
 * that is decoded next is given to it.
 * @throws PeerUnavailableError if node-llama-cpp is not installed, or has no binary for this machine
 */
export async function openLlamaCpp(file: string, options: LlamaCppOptions): Promise<Contender> {
  const { threads, contextLength = 512, name = file, load = importPeer } = options
  const { getLlama } = await load()
  const settings = { gpu: false, build: 'never', maxThreads: threads, logLevel: 'error', progressLogs: false }
  const llama = await getLlama(settings).catch((cause: unknown) => {
    const reason = `no binary of it runs here (${(cause as Error).message}); its package for this platform may be missing`
    throw new PeerUnavailableError('node-llama-cpp', reason, { cause })
  })
  try {
    const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 })
    const context = await model.createContext({ contextSize: contextLength + 1, batchSize: 512, threads })
    const sequence = context.getSequence()
    const weights = (model.fileInfo.fullTensorInfo ?? []).reduce((sum, { dimensions }) => sum + elements(dimensions), 0)
    return {
      name,
      read: async (tokens) => {
        await sequence.clearHistory()
        await sequence.evaluateWithoutGeneratingNewTokens(Array.from(tokens))
      },
      decode: async (tokens) => {
        await sequence.clearHistory()
        const [first, ...rest] = tokens
        const generated = sequence.evaluate([first], { temperature: 0, yieldEogToken: true })
        await generated.next()
        for (const token of rest) await generated.next(token)
        await generated.return()
      },
      bitsPerWeight: () => (8 * model.size) / weights,
      [Symbol.asyncDispose]: () => llama.dispose(),
    }
  } catch (error) {
    await llama.dispose()
    throw error
  }
}

function elements(dimensions: readonly (number | bigint)[]): number {
  return dimensions.reduce<number>((product, n) => product * Number(n), 1)
}

/** The name is not a literal, so that nothing but this call needs the package. */
async function importPeer(peer = 'node-llama-cpp'): Promise<NodeLlamaCpp> {
  try {
    return await import(peer)
  } catch (cause) {
    const how = 'install it beside the package that asks: npm i node-llama-cpp --ignore-scripts'
    throw new PeerUnavailableError(peer, `it is not installed; ${how}`, { cause })
  }
}
