import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText } from './escape.js'

test('what means something in HTML and XML is written as text', () => {
  expect(escapeText(`</script><img src=x onerror="a('b')">&amp;`)).toBe(
    '&lt;/script&gt;&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;',
  )
})

test('what cannot be written, or would turn text around, becomes a sign', () => {
  expect(escapeText('a\u0000b\u001bc\ud800d\u202ee\ufffff\u2066g')).toBe('a�b�c�d�e�f�g')
  expect(escapeText('tab\t line\n é 語 👍🏽 \ud83d\udc4d')).toBe('tab\t line\n é 語 👍🏽 👍')
})

test('nothing gets out of a tag or an attribute', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const text = String.fromCharCode(...units)
      expect(escapeText(text)).not.toMatch(/[<>"']/)
    }),
  )
})
