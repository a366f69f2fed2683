import { averageBitsName, gradientName, gradientProgram, mixedProgram } from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'
import type { AveragedLinear } from './parametrization.js'

/** Cross entropy of a window, and its gradient. */
export interface WindowGradient {
  /** Mean over the window's predictions, nats. */
  readonly loss: number
  /** Its gradient with respect to the average bits, f64 [linears], 0 for fixed linears. */
  readonly gradient: Float64Array
}

/** A model whose linears read mixtures of neighbouring bits. */
export interface MixedModel extends AsyncDisposable {
  /**
   * @param window u32, from 2 tokens to the length that the model was compiled for
   * @param averageBits [linears], each from `minBits` to `maxBits`
   */
  run(window: Uint32Array, linears: readonly AveragedLinear[], averageBits: ArrayLike<number>): Promise<WindowGradient>
}

/**
 * Compiles the training of average bits on the model's backend: every linear becomes y = r W_l x + (1 − r) W_h x with l = ⌊p⌋,
 * h = l + 1, r = 1 − (p − l) (DP-LLM §4, algorithm 1). No weight's gradient is computed, but for that of p.
 * @param length most tokens of a window
 */
export async function createMixedModel(model: Model, length: number): Promise<MixedModel> {
  const inputs = model.linears.map(({ module }) => averageBitsName(`${module}.weight`))
  const gradients = inputs.map(gradientName)
  // Of the sum over a window: windows may have different lengths.
  const program = gradientProgram(mixedProgram(decoderProgram(model.config).program), { loss: 'loss', of: inputs })
  const compiled = await model.backend.compile(program, model.weights)
  const cache = compiled.createCache(length - 1)
  return {
    run: async (window, linears, averageBits) => {
      const tokens = window.subarray(0, -1)
      const isFixed = ({ minBits, maxBits }: AveragedLinear) => minBits === maxBits
      const { outputs } = await compiled.run({
        tokens,
        position: 0,
        cache,
        rows: tokens.map((_, row) => row),
        targets: window.subarray(1),
        inputs: Object.fromEntries(inputs.map((name, i) => [name, Float32Array.of(below(linears[i], averageBits[i]))])),
        outputs: ['loss', ...gradients.filter((_, i) => !isFixed(linears[i]))],
      })
      return {
        loss: outputs.loss.reduce((sum, loss) => sum + loss, 0) / tokens.length,
        gradient: Float64Array.from(linears, (linear, i) => (isFixed(linear) ? 0 : outputs[gradients[i]][0] / tokens.length)),
      }
    },
    [Symbol.asyncDispose]: async () => {
      cache[Symbol.dispose]()
      await compiled[Symbol.asyncDispose]()
    },
  }
}

/**
 * p as f32, below B: at B itself the weight would be read between B and B + 1, if so many bits are loaded. Below 8 bits
 * neighbouring f32 are 2⁻²¹ apart at most.
 */
function below({ minBits, maxBits }: AveragedLinear, p: number): number {
  return minBits === maxBits ? minBits : Math.min(Math.fround(p), maxBits - 2 ** -21)
}
