import { importPackage } from '../../../lib/packages.mjs'
import { eightB, llamaTypes, openRandomLlama, openRandomModel, ours } from '../subjects.mjs'

const { compareSpeed } = await importPackage('eval')

/** Decode steps of ours at a number of bits and of llama.cpp's at its type of the nearest size. */
export async function measure({ bits, threads, tokens = 32, rounds = 9, subject = eightB }) {
  const model = await openRandomModel({ ...subject, threads, bits })
  const llama = await openRandomLlama({ ...subject, threads, type: llamaTypes[bits] })
  const contenders = [llama, ours(model, bits)]
  return compareSpeed(contenders, { promptTokens: [], generatedTokens: [tokens], vocabularySize: subject.vocabulary, rounds })
}
