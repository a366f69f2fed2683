import { INVALID } from '../extract.js'

/** What stands in the last `\boxed{…}` (or `\fbox{…}`, `\boxed …$`) of a solution; undefined if there is none. */
export function lastBoxed(text: string): string | undefined {
  const [match] = [...text.matchAll(/\\(?:boxed|fbox)\s*/g)].slice(-1)
  if (match === undefined) return undefined
  const start = match.index + match[0].length
  if (text[start] !== '{') return text.slice(start).split('$')[0].trim()
  let depth = 0
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '{') depth++
    else if (text[i] === '}' && --depth === 0) return text.slice(start + 1, i)
  }
  return undefined
}

/** What follows "The final answer is" in the sentence that the examples end with (Lewkowycz et al. 2022, App. D). */
export function finalAnswer(response: string): string {
  // A response that was cut off before the last sentence still counts, as in the harness.
  const match = /Final Answer: The final answer is(.*?). I hope it is correct./.exec(`${response}I hope it is correct.`)
  return match === null ? INVALID : match[1].trim()
}

/** The final answer however it is given: that sentence, the last box, or the last mathematics after "answer is". */
export function anyAnswer(response: string): string {
  const final = finalAnswer(response)
  if (final !== INVALID) return final
  const boxed = lastBoxed(response)
  if (boxed !== undefined) return boxed
  const [said] = [...response.matchAll(/answer is:?\s*(?:\$([^$]+)\$|([^\n]+?)(?:\.(?!\d)|\n|$))/gi)].slice(-1)
  return said === undefined ? INVALID : (said[1] ?? said[2]).trim()
}
