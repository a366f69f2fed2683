import { importPackage } from '../../../lib/packages.mjs'
import { eightB, llamaTypes, openRandomLlama, openRandomModel, ours } from '../subjects.mjs'

const { compareSpeed } = await importPackage('eval')

/** A prompt of 512 tokens, ours at a number of bits and llama.cpp's. */
export async function measure({ bits, threads, tokens = 512, rounds = 5, subject = eightB }) {
  const model = await openRandomModel({ ...subject, threads, bits })
  const llama = await openRandomLlama({ ...subject, threads, type: llamaTypes[bits] })
  const contenders = [llama, ours(model, bits)]
  return compareSpeed(contenders, { promptTokens: [tokens], generatedTokens: [], vocabularySize: subject.vocabulary, rounds })
}
