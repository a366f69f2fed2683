// The function for `evaluate` runs inside the page.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Page } from 'playwright-core'

/** A piece of text, and how far its colour is from the ground. */
export interface TextContrast {
  readonly text: string
  readonly color: string
  readonly ground: string
  /** WCAG 2.2: 1 for the same colour, 21 for black on white. */
  readonly contrast: number
}

/** Of all texts that can be seen; in drawings against the mark below them, if there is one. */
export function contrasts(page: Page): Promise<TextContrast[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
    const rgba = (color: string) => {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const luminance = (color: string) => {
      const [r, g, b] = rgba(color).map((value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const groundOf = (element: Element): string => {
      for (let one: Element | null = element; one !== null; one = one.parentElement) {
        const ground = getComputedStyle(one).backgroundColor
        if (rgba(ground)[3] === 255) return ground
      }
      return 'white'
    }
    const inside = (mark: DOMRect, { left, top, width, height }: DOMRect) => {
      const [x, y] = [left + width / 2, top + height / 2]
      return mark.left <= x && x <= mark.right && mark.top <= y && y <= mark.bottom
    }
    const found = []
    for (const svg of document.querySelectorAll('svg[role=img]')) {
      if (!svg.checkVisibility()) continue
      const cells = [...svg.querySelectorAll('.mark-rect path')].map((mark) => ({
        box: mark.getBoundingClientRect(),
        fill: getComputedStyle(mark).fill,
      }))
      for (const text of svg.querySelectorAll('text')) {
        const box = text.getBoundingClientRect()
        const cell = cells.findLast((one) => inside(one.box, box))
        found.push({ text: text.textContent ?? '', color: getComputedStyle(text).fill, ground: cell?.fill ?? groundOf(svg) })
      }
    }
    const walker = document.createTreeWalker(document.querySelector('main')!, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement!
      if (!walker.currentNode.textContent!.trim() || element.closest('svg') || !element.checkVisibility()) continue
      found.push({ text: walker.currentNode.textContent!, color: getComputedStyle(element).color, ground: groundOf(element) })
    }
    return found.map(({ text, color, ground }) => {
      const [low, high] = [luminance(color), luminance(ground)].sort((a, b) => a - b)
      return { text, color, ground, contrast: (high + 0.05) / (low + 0.05) }
    })
  })
}

export const lowestContrast = (found: readonly TextContrast[]): TextContrast =>
  found.reduce((a, b) => (b.contrast < a.contrast ? b : a))
