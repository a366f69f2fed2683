// One model in memory, and requests that ask for different precisions.
//   npm start                 with a tiny model of random weights, made here
//   npm start -- FOLDER       with a model that `dpllm quantize` and `dpllm calibrate` made
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModel } from '@dpllm/runtime'
import { makeTinyModel } from './tiny-model.mjs'

const prompt = 'Once upon a time'

/** Average bits to ask for. The tiny model's profile was calibrated for 3.5 and 4.5, and serves all between 3 and 5. */
const targets = [3.5, 3.8, 4.5]

/**
 * Answers the prompt at several targets of the model's profile and at a fixed 3 bits, then begins an answer and stops it.
 * @returns for each request its text and the effective bits that it read
 */
export async function answerAtEveryPrecision(folder, { maxTokens = 32 } = {}) {
  // In TypeScript, and in newer Node: await using model = await loadModel(folder)
  const model = await loadModel(folder)
  try {
    const requests = [...targets.map((targetBits) => ({ targetBits })), { precision: 3 }]
    const answers = []
    for (const request of requests) {
      const answer = { request, text: '', effectiveBits: 0 }
      for await (const part of model.generate(prompt, { ...request, maxTokens, seed: 7 })) {
        answer.text += part.text
        answer.effectiveBits = part.effectiveBits
      }
      answers.push(answer)
    }
    answers.push(await stoppedAnswer(model))
    return answers
  } finally {
    await model[Symbol.asyncDispose]()
  }
}

/** A user who has read enough. The loop ends with an AbortError; the model is ready for the next request. */
async function stoppedAnswer(model) {
  const controller = new AbortController()
  const answer = { request: { stopped: true }, text: '', effectiveBits: 0 }
  try {
    for await (const part of model.generate(prompt, { signal: controller.signal, seed: 7 })) {
      answer.text += part.text
      answer.effectiveBits = part.effectiveBits
      if (part.generatedTokens === 8) controller.abort()
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return answer
}

/** Runs `use` with a tiny model that is deleted afterwards. */
export async function withTinyModel(use) {
  const folder = await mkdtemp(join(tmpdir(), 'dpllm-example-'))
  try {
    return await use(await makeTinyModel(folder))
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  const answers = folder === undefined ? await withTinyModel(answerAtEveryPrecision) : await answerAtEveryPrecision(folder)
  for (const { request, text, effectiveBits } of answers) {
    console.log(`${JSON.stringify(request)}  ${effectiveBits.toFixed(2)} effective bits\n  ${prompt}${text}`)
  }
}
