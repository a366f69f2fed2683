import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equivalent } from './equivalent.js'

test.each([
  // Numbers, however they are written.
  ['\\frac{1}{2}', '0.5'],
  ['\\frac{1}{2}', '1/2'],
  ['\\frac12', '\\dfrac{1}{2}'],
  ['\\frac9{19}', '9/19'],
  ['\\frac 34', '0.75'],
  ['1\\frac{4}{5}', '\\frac{9}{5}'],
  ['137 \\frac{1}{2}', '137.5'],
  ['137 1/2', '\\frac{275}{2}'],
  ['-1\\frac{1}{2}', '-1.5'],
  ['.35625', '0.35625'],
  ['3.0', '3'],
  ['+4', '4'],
  ['.0000672', '6.72 \\times 10^{-5}'],
  ['10,\\!080', '10080'],
  ['11,\\! 111,\\! 111,\\! 100', '11,111,111,100'],
  ['58,500', '58500'],
  ['2^{10}', '1024'],
  ['5!', '120'],
  ['\\binom{5}{2}', '10'],
  // Units, currency, degrees, words.
  ['\\$32,\\!348', '32348'],
  ['\\$18.90', '$18.9$'],
  ['90^\\circ', '90'],
  ['90^{\\circ}', '90°'],
  ['120 \\text{ degrees}', '120^\\circ'],
  ['\\frac{270}7\\text{ degrees}', '\\frac{270}{7}'],
  ['864 \\mbox{ inches}^2', '864'],
  ['15\\mbox{ cm}^2', '15 \\text{cm}^{2}'],
  ['5.4 \\text{ cents}', '5.4'],
  ['12 inches', '12'],
  ['25\\%', '25'],
  ['$\\text{Evelyn}$', 'Evelyn'],
  ['\\text{east}', 'East'],
  ['\\text{(C)}', '(C)'],
  ['\\text{(C)}', 'C'],
  // Roots, constants, functions.
  ['3\\sqrt{13}', '\\sqrt{117}'],
  ['11\\sqrt2', '11\\sqrt{2}'],
  ['\\frac{\\sqrt{3}}{3}', '\\frac{1}{\\sqrt{3}}'],
  ['\\sqrt[3]{8}', '2'],
  ['\\frac{20000}{\\pi}', '20000/\\pi'],
  ['18+2\\pi', '2\\pi + 18'],
  ['-\\frac{\\pi}{6}', '\\frac{-\\pi}{6}'],
  ['\\cot x', '\\frac{\\cos x}{\\sin x}'],
  ['\\sin^2 x', '1 - \\cos^2 x'],
  ['\\log_2 8', '3'],
  ['|{-3}|', '3'],
  // Polynomials and other terms.
  ['(a+5)(b+2)', 'ab + 2a + 5b + 10'],
  ['2k+2', '2(k+1)'],
  ['\\frac{11+9a}{20}', '0.55 + 0.45a'],
  ['6 - 5i', '-5i+6'],
  ['x^3+3x-6', '-6+x(x^2+3)'],
  // Equations.
  ['x=5', '5'],
  ['y = 2x + 3', '2x+3'],
  ['y = -2x', '2x + y = 0'],
  ['5x - 7y + 11z + 4 = 0', '10x-14y+22z=-8'],
  ['f(x) = x+1', '1+x'],
  // Several values.
  ['1,-2', '-2, 1'],
  ['3, 5, 7', '7,3,5'],
  ['1 \\pm \\sqrt{19}', '1-\\sqrt{19}, 1+\\sqrt{19}'],
  ['\\{1\\pm\\sqrt{5},-2\\}', '-2, 1+\\sqrt{5}, 1-\\sqrt{5}'],
  ['\\left( 3, \\frac{\\pi}{2} \\right)', '(3, \\pi/2)'],
  ['x \\in [-2,7]', '[-2,7]'],
  ['(2,\\infty)', '\\left(2, \\infty\\right)'],
  ['(0,9) \\cup (9,36)', '(9,36)\\cup(0,9)'],
  ['\\left(\\frac{3}{5},\\frac{8}{3}\\right]', '(0.6, 8/3]'],
  ['\\begin{pmatrix} 1/5 \\\\ -18/5 \\end{pmatrix}', '\\begin{pmatrix}0.2\\\\-3.6\\end{pmatrix}'],
  ['52_8', '52_{8}'],
])('%s is %s', (a, b) => {
  expect(equivalent(a, b)).toBe(true)
  expect(equivalent(b, a)).toBe(true)
})

test.each([
  ['\\frac{1}{3}', '0.33'],
  ['\\pi', '3.14'],
  ['\\sqrt{2}', '1.414'],
  ['42', '24'],
  ['12345678901', '12345678902'],
  ['123456789012345678901', '123456789012345678902'],
  ['-4', '4'],
  ['52_8', '52'],
  ['52_8', '52_9'],
  ['(3,4]', '[3,4]'],
  ['(3,4]', '(4,3]'],
  ['(-2,1)', '(1,-2)'],
  ['(-2,1)', '-2,1'],
  ['1,-2', '1'],
  ['1,1', '1,2'],
  ['1 \\pm \\sqrt{19}', '1+\\sqrt{19}'],
  ['(2,\\infty)', '(-\\infty,2)'],
  ['6 - 5i', '6+5i'],
  ['x^5', 'y^5'],
  ['x', '|x|'],
  ['2k', 'k'],
  ['\\text{even}', 'odd'],
  ['\\text{even}', 'neve'],
  ['\\text{(C)}', '(E)'],
  ['5x - 7y + 11z + 4 = 0', '0'],
  ['5x - 7y + 11z + 4 = 0', '5x-7y+11z-4=0'],
  ['y=2x+3', 'y=3x+2'],
  ['\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}', '\\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}'],
  ['(0,9) \\cup (9,36)', '(0,36)'],
  ['\\frac{1}{0}', '\\frac{2}{0}'],
  ['4', '[invalid]'],
  ['4', ''],
  ['', ''],
])('%s is not %s', (a, b) => {
  expect(equivalent(a, b)).toBe(false)
  expect(equivalent(b, a)).toBe(false)
})

test('fractions are compared as numbers', () => {
  const whole = fc.integer({ min: 1, max: 10_000 })
  fc.assert(
    fc.property(whole, whole, whole, (a, b, k) => {
      expect(equivalent(`\\frac{${a}}{${b}}`, `${a * k}/${b * k}`)).toBe(true)
      expect(equivalent(`\\frac{${a}}{${b}}`, `\\frac{${a + 1}}{${b}}`)).toBe(false)
    }),
  )
})

test('nothing that a model writes throws or hangs', () => {
  const pieces = [
    '\\frac',
    '\\sqrt',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '|',
    ',',
    '=',
    '^',
    '_',
    '\\pm',
    '\\cup',
    '-',
    '1',
    'x',
    '\\',
    '&',
    '\\left',
  ]
  const noise = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(noise, noise, (a, b) => void equivalent(a, b)),
    { numRuns: 2000 },
  )
  for (const c of ['(', '{', '\\sqrt', '-', '^', '|', '!', '\\frac']) equivalent(c.repeat(1900), '1')
  expect(equivalent('('.repeat(3000), '1')).toBe(false)
})
