import { tokenScale } from '../chart/draw-tokens.js'
import { pageTheme } from '../chart/theme.js'
import { type TokenBits, visibleText } from '../chart/token-bits.js'
import { escapeText } from '../escape.js'

/** A text whose tokens stand on grounds of their bits and on lines as thick: neither the eye for colour nor a pointer is needed. */
export function tokensHtml({ prompt, tokens }: TokenBits): string {
  const scale = tokenScale(tokens)
  const style = (bits: number) =>
    `--shade:${pageTheme.shade(scale.part(bits))};border-bottom-width:${(1 + 5 * scale.part(bits)).toFixed(1)}px`
  const spans = tokens.map(({ text, bits }) => {
    const lineEnd = text.includes('\n') ? '\n' : ''
    return `<span class="token" style="${style(bits)}" title="${bits.toFixed(2)} bits">${escapeText(visibleText(text))}</span>${lineEnd}`
  })
  const steps = scale.steps.map((bits) => `<span class="token" style="${style(bits)}">${bits}</span>`)
  const before = prompt === '' ? '' : `<span class="prompt">${escapeText(prompt)}</span>`
  return `<p class="legend">${steps.join('')} <span>bits of the step that gave the token</span></p>\n<p class="tokens">${before}${spans.join('')}</p>`
}
