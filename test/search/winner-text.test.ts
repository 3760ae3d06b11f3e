import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { listFields } from '../../src/search/field-path.ts'
import { writeFields } from '../../src/search/overrides.ts'
import { writeValues } from '../../src/search/winner-text.ts'
import { readYaml } from '../../src/strategy/yaml-source.ts'

const dataOf = (text: string) => readYaml(text).value

test('values are written in where they stand, and comments stay', () => {
  const text = `# The idea of it.
indicators:
  fast: { type: sma, period: 20 } # quick
  slow:
    type: ema
    period: 50 # bars
rules:
  # First one.
  enter: >-
    a > b and
    c > d
`
  const written = writeValues(text, {
    'indicators.fast.period': 8,
    'indicators.slow.period': 100,
    'indicators.slow.source': 'hl2',
    'rules.enter': 'a > c',
    'rules.stop.percent': 2.5,
  })
  for (const comment of ['# The idea of it.', '# quick', '# bars', '# First one.'])
    expect(written).toContain(comment)
  expect(written).toContain('fast: { type: sma, period: 8 } # quick')
  expect(written).toContain('period: 100 # bars')
  expect(dataOf(written)).toEqual({
    indicators: { fast: { type: 'sma', period: 8 }, slow: { type: 'ema', period: 100, source: 'hl2' } },
    rules: { enter: 'a > c', stop: { percent: 2.5 } },
  })
})

test.each([
  ['a: &x { n: 1 }\nb: *x\nc: *x\n', { 'b.n': 2 }],
  ['a: &x { n: 1 }\nb: *x\nc: *x\n', { 'a.n': 2 }],
  ['a: &x { n: 1 }\nb: *x\nc: *x\n', { 'a.n': 2, 'b.n': 3 }],
  ['a: &n 1\nb: *n\nc: *n\n', { a: 2 }],
  ['a: &n 1\nb: *n\nc: *n\n', { b: 2 }],
  ['a: { m: &x { n: 1 } }\nb: { m: *x }\n', { 'b.m.n': 2 }],
])('what is shared by an alias becomes its own: %j with %j', (text, values) => {
  expect(dataOf(writeValues(text, values))).toEqual(writeFields(dataOf(text), values))
})

test('all numbers and all texts of any shipped strategy can be written', () => {
  const folder = 'examples/strategies'
  for (const file of readdirSync(folder)) {
    const text = readFileSync(`${folder}/${file}`, 'utf8')
    const before = dataOf(text)
    const fields = listFields(before)
    for (const kind of ['number', 'string', 'boolean']) {
      const values = Object.fromEntries(
        fields.flatMap(({ path, value }) =>
          typeof value === kind ? [[path, typeof value === 'number' ? value + 0.5 : `${value} 1.0: x`]] : [],
        ),
      )
      expect(dataOf(writeValues(text, values))).toEqual(writeFields(before, values))
    }
  }
})
