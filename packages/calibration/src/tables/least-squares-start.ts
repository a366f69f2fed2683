import type { BitPlaneWeight } from '@dpllm/core'
import { decoderProgram } from '@dpllm/runtime'
import { refitModel } from './refit-model.js'
import { createTableRefitter } from './refitter.js'
import type { TableStart } from './table-start.js'

/** Windows that inputs are measured on: enough for moments, which training then corrects. */
const WINDOWS = 32

/** Starts from the tables of least squared error of every linear's output, the codes as they are (decision 8). */
export const leastSquaresStart: TableStart = {
  name: `least squares, ${WINDOWS} windows`,
  async apply({ teacher, student, windows, bits, threads, signal, onProgress }) {
    const original = { backend: teacher.backend, program: decoderProgram(teacher.config).program, weights: teacher.weights }
    const quantized = new Map(
      student.linears.map(({ module }) => {
        const name = `${module}.weight`
        return [name, student.weights.get(name) as BitPlaneWeight] as const
      }),
    )
    const options = { bits, refitter: createTableRefitter({ threads }), signal, onProgress }
    for await (const { name, luts } of refitModel(original, quantized, windows.slice(0, WINDOWS), options)) {
      for (const [i, lut] of luts.entries()) quantized.get(name)!.luts[i].set(lut)
    }
  },
}
