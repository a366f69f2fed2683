import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { useFixtures } from '../src/testing/fixtures.js'
import { type CommandName, expectRefusal, hostileFolder } from './hostile-folder.js'
import { type Models, makeModels } from './hostile-models.js'
import { mutate, mutation } from './mutations.js'

const fixtures = useFixtures()
let models: Models
beforeAll(async () => {
  models = await makeModels(fixtures)
})

/** What a changed file makes impossible without being wrong itself: a shorter context, another target, weights that overflow. */
const aboutRequest = /^dpllm: (text|calibrationText|contextLength|maxBits|targetBits|logits|the loss of scored token)\b/

const commandsOf: Readonly<Record<keyof Models, readonly CommandName[]>> = {
  original: ['quantize', 'quantize --no-calib', 'run', 'eval ppl', 'inspect'],
  sharded: ['quantize', 'run', 'inspect'],
  quantized: ['run', 'run at a target', 'eval ppl', 'calibrate', 'inspect', 'inspect a profile'],
}

test.each<[keyof Models, readonly string[], number]>([
  ['original', ['model.safetensors', 'config.json', 'tokenizer.json', 'tokenizer_config.json'], 200],
  ['sharded', ['model.safetensors.index.json', 'model-00002-of-00003.safetensors'], 60],
  ['quantized', ['model.safetensors', 'config.json', 'profiles/dp-llm-4.json', 'profiles/dp-llm-4.safetensors'], 200],
])(
  'whatever becomes of the files of the %s model, commands succeed or say in one line what is wrong',
  async (model, files, numRuns) => {
    await using folder = await hostileFolder(models[model])
    const outcomes = { accepted: 0, refused: 0 }
    const trial = async (file: string, command: CommandName, change: Parameters<typeof mutate>[2]) => {
      await folder.damage(file, (bytes) => mutate(file, bytes, change))
      const result = await folder.run(command)
      if (result.code === 0) {
        outcomes.accepted++
        expect(result.stderr).toBe('')
      } else {
        outcomes.refused++
        expectRefusal(result)
        if (!aboutRequest.test(result.stderr)) expect(result.stderr).toContain(folder.model)
      }
    }
    const property = fc.asyncProperty(fc.constantFrom(...files), fc.constantFrom(...commandsOf[model]), mutation, trial)
    await fc.assert(property, { numRuns, seed: 1 })
    expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(0)
  },
)
