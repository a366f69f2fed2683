import { expect, test } from 'vitest'
import { nearNames } from './near-names.js'

test('the names most like it, best first, three at most', () => {
  const names = [0, 1, 2, 10].flatMap((i) => ['q', 'k'].map((p) => `model.layers.${i}.self_attn.${p}_proj.weight`))
  expect(nearNames('model.layers.11.self_attn.q_proj.weight', names)).toEqual([
    'model.layers.1.self_attn.q_proj.weight',
    'model.layers.10.self_attn.q_proj.weight',
    'model.layers.0.self_attn.q_proj.weight',
  ])
  expect(nearNames('lm_head.weight', ['vision.patch', 'x'])).toEqual([])
  expect(nearNames('a', [])).toEqual([])
})
