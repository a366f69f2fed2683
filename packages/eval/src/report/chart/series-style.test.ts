import { expect, test } from 'vitest'
import { seriesStyles } from './series-style.js'

const methods = ['budget', 'dp-llm', 'static', 'hawq-v2', 'llm-mq', 'lsaq', 'uniform']

test('known methods look the same whatever else is there', () => {
  const alone = methods.map((name) => seriesStyles([name]).get(name))
  const among = seriesStyles(['x', ...[...methods].reverse(), 'y'])
  expect(methods.map((name) => among.get(name))).toEqual(alone)
})

test('no two of them, nor of eight others, are told apart by colour alone', () => {
  const styles = [...seriesStyles([...methods, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']).values()]
  const looks = styles.map(({ shape, dash }) => JSON.stringify([shape, dash]))
  expect(new Set(looks).size).toBe(15)
  expect(new Set(styles.map(({ color, shape }) => `${color} ${shape}`)).size).toBe(15)
})

test('names of Object.prototype are names like others', () => {
  expect(seriesStyles(['constructor', '__proto__']).get('constructor')).toMatchObject({ shape: 'triangle-right' })
})
