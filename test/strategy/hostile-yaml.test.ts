import { expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'

function refusal(text: string): Problem {
  try {
    parseStrategy(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the strategy was accepted')
}

test('a key that occurs twice is refused at the second one', () => {
  expect(refusal('name: a\nname: b\n').errors).toEqual([
    { pointer: '', code: 'duplicate_key', message: "the key 'name' occurs twice", line: 2, column: 1 },
  ])
})

test('broken YAML is refused with its place', () => {
  expect(refusal('name: [a\n').errors[0]).toMatchObject({ line: 2, column: 1 })
})

test('a tag of its own is refused', () => {
  expect(refusal('name: !!js/function "x"\n').errors[0]).toMatchObject({
    code: 'tag_resolve_failed',
    line: 1,
    column: 7,
  })
})

test('two documents in one file are refused', () => {
  expect(refusal('name: a\n---\nname: b\n').errors[0]?.code).toBe('multiple_docs')
})

test('keys that are not texts are refused', () => {
  expect(refusal('? [a]\n: 1\n').errors[0]?.code).toBe('non_string_key')
})

test.each(['', 'null', '[]', 'just text', '42'])('%j is not a strategy', text => {
  expect(refusal(text).errors[0]).toMatchObject({ pointer: '', code: 'type', line: 1, column: 1 })
})

test('aliases that multiply are refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i + 1}: &l${i + 1} [${'*l'.concat(String(i), ', ').repeat(9)}]`,
  )
  expect(refusal(`l0: &l0 [x]\n${levels.join('\n')}\n`).message).toMatch(/alias/i)
})

test('an alias that points nowhere is refused', () => {
  expect(refusal('name: *nowhere\n').message).toMatch(/alias/i)
})

test('a text beyond 256 KiB is refused', () => {
  expect(refusal(`name: ${'x'.repeat(256 * 1024)}`).message).toMatch(/at most 262144/)
})

test.each([
  ['lists', '['.repeat(250_000)],
  ['lists on lines', '- '.repeat(120_000)],
  ['maps', '{a: '.repeat(60_000)],
  ['nested maps', Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
])('%s nested without end are refused without a crash', (_name, text) => {
  expect(refusal(text).code).toBe('strategy-invalid')
})

test.each([
  ['keys', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
  [
    'indicators',
    `indicators:\n${Array.from({ length: 8000 }, (_, i) => `  k${i}: { type: smx }`).join('\n')}`,
  ],
])('thousands of wrong %s give at most 100 errors', (_name, text) => {
  const { errors } = refusal(text)
  expect(errors.length).toBeGreaterThan(50)
  expect(errors.length).toBeLessThanOrEqual(100)
})

test('a key called __proto__ is an unknown key', () => {
  expect(refusal('__proto__: { name: x }\n').errors.map(error => error.pointer)).toContain('/__proto__')
})

test('an alias may repeat an indicator', () => {
  const { strategy } = parseStrategy(`
name: aliased
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  a: &a { type: sma, period: 7 }
  b: *a
decisions: { rules: { enter_long: a > close, exit_long: b < close } }
`)
  expect(strategy.indicators.b).toEqual({ type: 'sma', period: 7, source: 'close' })
})
