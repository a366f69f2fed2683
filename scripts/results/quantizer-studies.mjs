import { readFileSync, writeFileSync } from 'node:fs'

/**
 * What docs/results/quantizer.md is about: for each model its texts, bit counts and variants of quantizers.
 * @param {string} data folder of models and texts
 * @param {string} work folder for texts that are made from others
 */
export function quantizerStudies(data, work) {
  const fisher = (study, calib, samples, length) => [
    ...['--calib', calib, '--sensitivity', 'fisher', '--samples', String(samples), '--seq-len', String(length)],
    ...['--sensitivity-dir', `${work}/${study}-fisher`, '--head-bits', 'none', '--no-lut-tuning'],
  ]
  const variantsOf = (study, calib, { samples, length, seeds, steps }) => {
    const sensitivity = fisher(study, calib, samples, length)
    const reference = [...sensitivity, '--reference-mode']
    const tune = (of, ...flags) => ({ of, bits: [3, 4], flags: ['--calib', calib, '--seq-len', String(length), ...flags] })
    return [
      { id: 'reference', label: 'reference mode', quantize: reference, seeds },
      { id: 'refreshed', label: 'reference mode + LUT refresh', quantize: [...reference, '--lut-refresh'], seeds },
      { id: 'exact', label: 'exact quantizer', quantize: sensitivity, seeds: [undefined] },
      { id: 'refit', label: 'exact + least-squares refit', tune: tune('exact', '--steps', '0'), seeds: [undefined] },
      { id: 'tuned', label: 'exact + tuned LUTs', tune: tune('exact', '--steps', String(steps)), seeds: [undefined] },
    ]
  }
  const stories = `${data}/tinystories/train-2MiB.txt`
  const c4 = `${data}/c4/calib.txt`
  const protocol = (file, context, ...more) => ['--data', file, '--protocol', 'llama.cpp', '--ctx', String(context), ...more]
  return {
    stories15M: {
      title: 'stories15M',
      original: `${data}/stories15M`,
      bits: [3, 4, 5, 6, 7, 8],
      texts: [{ label: 'TinyStories valid-a', flags: protocol(`${data}/tinystories/valid-a.txt`, 256) }],
      variants: variantsOf('stories15M', stories, { samples: 128, length: 256, seeds: [0, 1, 2, 3, 4], steps: 800 }),
      calibration: '128 windows of 256 tokens of the TinyStories training text; tuning: 800 steps of 4 windows of it',
      // Any-Precision's own code on this model (the project's measurement, see the page).
      published: [5.9864, 4.5041, 4.2155, 4.1246, 4.1115, 4.0981],
    },
    tinyllama: {
      title: 'TinyLlama-1.1B-Chat',
      original: process.env.DPLLM_TINYLLAMA ?? `${work}/tinyllama`,
      bits: [3, 4, 5, 6],
      texts: [
        { label: 'WikiText-2', flags: protocol(`${data}/wikitext2/wiki.test.raw`, 512, '--chunks', '40') },
        { label: 'C4', flags: protocol(c4Evaluation(data, work), 512, '--chunks', '20') },
      ],
      variants: variantsOf('tinyllama', c4, { samples: 64, length: 256, seeds: [0], steps: 100 }).filter(
        ({ id }) => id !== 'refreshed',
      ),
      calibration: '64 windows of 256 tokens of C4; tuning: 100 steps of 4 windows of it',
    },
  }
}

/** The held-out C4 documents as one text. */
function c4Evaluation(data, work) {
  const file = `${work}/c4-eval-a.txt`
  const documents = readFileSync(`${data}/c4/eval-a.jsonl`, 'utf8').trim().split('\n')
  writeFileSync(file, documents.map((line) => JSON.parse(line).text).join('\n\n'))
  return file
}
