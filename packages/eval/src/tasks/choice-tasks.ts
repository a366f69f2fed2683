import { indexOf, type Row, textOf, textsOf, wrong } from '../data/row.js'
import { type Choices, multipleChoice } from './multiple-choice.js'

/** Clark et al. (2018); harness tasks `arc_easy` and `arc_challenge`, which differ in their data alone. */
export const arc = multipleChoice({
  name: 'arc',
  description: 'AI2 Reasoning Challenge, Easy or Challenge as the data are',
  normalized: true,
  choices(row) {
    const { texts, labels } = labelledChoices(row)
    const gold = labels.indexOf(textOf(row, 'answerKey'))
    if (gold < 0) wrong(row, 'answerKey', `one of ${labels.join(', ')}`, row.values.answerKey)
    return sameContext(`Question: ${textOf(row, 'question')}\nAnswer:`, texts, gold)
  },
})

/** Zellers et al. (2019); harness task `hellaswag`. */
export const hellaswag = multipleChoice({
  name: 'hellaswag',
  description: 'how a scene goes on',
  normalized: true,
  choices(row) {
    const endings = textsOf(row, 'endings').map(cleanWikiHow)
    const context = `${textOf(row, 'ctx_a')} ${capitalized(textOf(row, 'ctx_b'))}`
    return sameContext(
      cleanWikiHow(`${textOf(row, 'activity_label')}: ${context}`),
      endings,
      indexOf(row, 'label', endings.length),
    )
  },
})

/** Bisk et al. (2020); harness task `piqa`. */
export const piqa = multipleChoice({
  name: 'piqa',
  description: 'everyday physics',
  normalized: true,
  choices(row) {
    const solutions = [textOf(row, 'sol1'), textOf(row, 'sol2')]
    return sameContext(`Question: ${textOf(row, 'goal')}\nAnswer:`, solutions, indexOf(row, 'label', 2))
  },
})

/** Sakaguchi et al. (2020); harness task `winogrande`: the end of the sentence, after either name. */
export const winogrande = multipleChoice({
  name: 'winogrande',
  description: 'what a pronoun stands for',
  normalized: false,
  choices(row) {
    const sentence = textOf(row, 'sentence')
    const blank = sentence.indexOf('_')
    if (blank < 0) wrong(row, 'sentence', 'a sentence with a blank _', sentence)
    const names = [textOf(row, 'option1'), textOf(row, 'option2')]
    const continuation = sentence.slice(blank + 1).trim()
    const gold = ['1', '2'].indexOf(String(row.values.answer))
    if (gold < 0) wrong(row, 'answer', '1 or 2', row.values.answer)
    return { pairs: names.map((name) => ({ context: sentence.slice(0, blank) + name, continuation })), gold, names }
  },
})

function sameContext(context: string, texts: readonly string[], gold: number): Choices {
  return { pairs: texts.map((continuation) => ({ context, continuation })), gold, names: texts }
}

/** As columns (Hugging Face's form), or a list of objects (the dataset's own). */
function labelledChoices(row: Row): { texts: readonly string[]; labels: readonly string[] } {
  const found = row.values.choices
  const inner = (values: unknown): Row => ({ ...row, values: (values ?? {}) as Row['values'] })
  if (!Array.isArray(found)) {
    const [texts, labels] = [textsOf(inner(found), 'text'), textsOf(inner(found), 'label')]
    return texts.length === labels.length ? { texts, labels } : wrong(row, 'choices', 'as many texts as labels', found)
  }
  return { texts: found.map((item) => textOf(inner(item), 'text')), labels: found.map((item) => textOf(inner(item), 'label')) }
}

/** Marks of WikiHow's pages are artefacts of the dataset. */
function cleanWikiHow(text: string): string {
  return text
    .trim()
    .replaceAll(' [title]', '. ')
    .replace(/\[[^\n]*?\]/g, '')
    .replaceAll('  ', ' ')
}

/** As Python's `str.capitalize`: the first letter large, all others small. */
function capitalized(text: string): string {
  const [first = '', ...rest] = text
  return first.toUpperCase() + rest.join('').toLowerCase()
}
