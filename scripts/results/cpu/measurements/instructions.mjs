import { importPackage } from '../../../lib/packages.mjs'
import { eightB, openRandomModel, ours } from '../subjects.mjs'

const { compareSpeed } = await importPackage('eval')
const { probeCpu } = await importPackage('cpu-kernels')

/** Decode steps and short prompts on every instruction set of the machine. */
export async function measure({ bits, threads, tokens = 8, rounds = 5 }) {
  const contenders = []
  for (const instructions of probeCpu().available) {
    process.env.DPLLM_CPU_INSTRUCTIONS = instructions
    const model = await openRandomModel({ ...eightB, layers: 2, threads, bits })
    contenders.push({ ...ours(model, bits), name: instructions })
  }
  return compareSpeed(contenders, { promptTokens: [64], generatedTokens: [tokens], rounds })
}
