// Functions for `evaluate` run inside the page.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium, startChromium } from '../../testing/chromium.js'
import { exampleResults, hostile } from '../../testing/example-results.js'
import { contrasts, lowestContrast } from '../../testing/page-contrast.js'
import { makeReport } from '../make-report.js'
import { reportPage } from './page.js'

const chromium = findChromium()
const wide = { width: 1280, height: 900 }
const phone = { width: 360, height: 740 }

describe.skipIf(chromium === undefined)('in Chromium (the variable CHROMIUM, or on PATH)', () => {
  let folder: string
  let browser: Browser
  let html: string
  const urls = { example: '', hostile: '' }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dpllm-report-'))
    html = await reportPage(makeReport(exampleResults()), { command: 'dpllm report sweep -o report.html' })
    const bad = exampleResults({ model: hostile, label: hostile, token: hostile })
    const pages = { example: html, hostile: await reportPage(makeReport(bad, { title: hostile }), { command: hostile }) }
    for (const name of ['example', 'hostile'] as const) {
      const file = path.join(folder, `${name}.html`)
      await writeFile(file, pages[name])
      urls[name] = pathToFileURL(file).href
    }
    browser = await startChromium(chromium!)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Opens a page and says what it asked for and complained about. */
  async function open(url: string, options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: wide, ...options })
    const page = await context.newPage()
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(url)
    return { page, requests, complaints, [Symbol.asyncDispose]: () => context.close() }
  }

  /** Boxes of the drawings that can be seen. */
  const drawings = (page: Page) =>
    page.$$eval('figure', (figures) =>
      figures.map((figure) => {
        const shown = [...figure.querySelectorAll('.drawing svg[role=img]')].filter((svg) => svg.checkVisibility())
        return shown.map((svg) => {
          const { left, right, width, height } = svg.getBoundingClientRect()
          const marks = [...svg.querySelectorAll('path, text')].filter((mark) => mark.getBoundingClientRect().width > 0)
          return { left, right, width, height, marks: marks.length }
        })
      }),
    )

  test('nothing is asked for but the page, and nothing complained about', async () => {
    await using opened = await open(urls.example)
    await opened.page.waitForLoadState('networkidle')
    expect(opened.requests).toEqual([urls.example])
    expect(opened.complaints).toEqual([])
    expect(html).not.toMatch(/<script|\bsrc=|@import|url\(|https?:\/\/(?!www\.w3\.org\/)/)
  })

  test.each([
    ['wide', wide],
    ['on a phone', phone],
  ])('%s: every figure has one drawing that can be seen whole, and nothing is wider than the page', async (_, viewport) => {
    await using opened = await open(urls.example, { viewport })
    const found = await drawings(opened.page)
    expect(found.length).toBeGreaterThanOrEqual(9)
    for (const [drawing, ...more] of found) {
      expect(more).toEqual([])
      expect(drawing.width).toBeGreaterThan(0.7 * Math.min(viewport.width, 1000))
      expect(drawing.height).toBeGreaterThan(100)
      expect(drawing.left).toBeGreaterThanOrEqual(0)
      expect(drawing.right).toBeLessThanOrEqual(viewport.width)
      expect(drawing.marks).toBeGreaterThan(10)
    }
    expect(await opened.page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
  })

  test('on a phone drawings’ letters are as large as they were set', async () => {
    await using opened = await open(urls.example, { viewport: phone })
    const sizes = await opened.page.$$eval('.drawing svg[role=img] text', (texts) =>
      texts.flatMap((text) => {
        const matrix = (text as SVGTextElement).getScreenCTM()
        return text.checkVisibility() && matrix ? [Number.parseFloat(getComputedStyle(text).fontSize) * matrix.a] : []
      }),
    )
    expect(sizes.length).toBeGreaterThan(100)
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(9.5)
  })

  test('texts of a drawing lie inside of it', async () => {
    await using opened = await open(urls.example)
    const outside = await opened.page.$$eval('.drawing svg[role=img]', (svgs) =>
      svgs
        .filter((svg) => svg.checkVisibility())
        .flatMap((svg) => {
          const box = svg.getBoundingClientRect()
          const texts = [...svg.querySelectorAll('text')].map((text) => ({
            name: text.textContent,
            box: text.getBoundingClientRect(),
          }))
          return texts.filter(
            (text) =>
              text.box.left < box.left - 1 ||
              text.box.right > box.right + 1 ||
              text.box.top < box.top - 1 ||
              text.box.bottom > box.bottom + 1,
          )
        }),
    )
    expect(outside).toEqual([])
  })

  test('dark and light differ, and all text can be read in both', async () => {
    const grounds = new Set<string>()
    for (const colorScheme of ['light', 'dark'] as const) {
      await using opened = await open(urls.example, { colorScheme })
      grounds.add(await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      const found = await contrasts(opened.page)
      expect(found.length).toBeGreaterThan(500)
      expect(lowestContrast(found).contrast, JSON.stringify(lowestContrast(found))).toBeGreaterThanOrEqual(4.5)
    }
    expect(grounds).toEqual(new Set(['rgb(255, 255, 255)', 'rgb(21, 23, 27)']))
  })

  test('on paper: light, with all tables and commands', async () => {
    await using opened = await open(urls.example, { colorScheme: 'dark' })
    const { page } = opened
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
    const heights = await page.$$eval('details pre', (texts) => texts.map((text) => text.getBoundingClientRect().height))
    expect(Math.min(...heights)).toBeGreaterThan(20)
    expect(await page.$$eval('.scroll', (boxes) => boxes.filter((box) => box.scrollHeight > box.clientHeight + 1).length)).toBe(0)
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    expect(pdf.toString('latin1').match(/\/Type \/Page\b/g)!.length).toBeGreaterThanOrEqual(5)
  })

  test('can be read by those who do not see it: names, headings, tables, keys', async () => {
    await using opened = await open(urls.example)
    const found = await opened.page.evaluate(() => {
      const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
      const named = [...document.querySelectorAll('[aria-labelledby]')].flatMap((element) =>
        element.getAttribute('aria-labelledby')!.split(' '),
      )
      return {
        doubles: ids.filter((id, i) => ids.indexOf(id) !== i),
        unnamed: named.filter((id) => !document.getElementById(id)?.textContent?.trim()),
        drawings: document.querySelectorAll('svg[role=img] > title + desc').length,
        images: document.querySelectorAll('svg[role=img]').length,
        levels: [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => tagName).join(' '),
        language: document.documentElement.lang,
        cells: document.querySelectorAll('td').length,
        headless: [...document.querySelectorAll('tbody tr')].filter((row) => row.querySelector('th[scope=row]') === null).length,
      }
    })
    expect(found).toMatchObject({ doubles: [], unnamed: [], language: 'en', headless: 0 })
    expect(found.drawings).toBe(found.images)
    expect(found.cells).toBeGreaterThan(100)
    expect(found.levels).toMatch(/^H1( H2( H3)+){4}$/)
    await opened.page.focus('.scroll')
    expect(await opened.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^Numbers: /)
  })

  test('what a model is called, and what it says, stays text', async () => {
    await using opened = await open(urls.hostile)
    await opened.page.waitForLoadState('networkidle')
    expect(opened.requests).toEqual([urls.hostile])
    expect(opened.complaints).toEqual([])
    const found = await opened.page.evaluate(() => ({
      hacked: 'hacked' in window,
      elements: document.querySelectorAll('script, img, iframe, object, [onload], [onerror]').length,
      title: document.querySelector('h1')!.textContent,
      tokens: [...document.querySelectorAll('.tokens .token')].map(({ textContent }) => textContent),
      drawn: [...document.querySelectorAll('svg text')].map(({ textContent }) => textContent),
    }))
    const shown = hostile.replace('\u202e', '\ufffd')
    expect(found).toMatchObject({ hacked: false, elements: 0, title: shown })
    expect(found.tokens).toContain(shown)
    expect(found.drawn.some((text) => text?.startsWith('</script><img src=x'))).toBe(true)
    expect(await opened.page.evaluate(() => document.documentElement.scrollWidth)).toBe(wide.width)
  })

  test('the policy of the page lets no script run, should one get in', async () => {
    const file = path.join(folder, 'broken.html')
    await writeFile(
      file,
      html.replace('</main>', '<script>window.hacked = 1</script><img src="https://example.invalid/x.png"></main>'),
    )
    await using opened = await open(pathToFileURL(file).href)
    expect(await opened.page.evaluate(() => 'hacked' in window)).toBe(false)
    expect(opened.complaints.join()).toMatch(/Content Security Policy/)
  })
})
