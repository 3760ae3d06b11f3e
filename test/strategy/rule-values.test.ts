import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ruleLookback } from '../../src/strategy/compile.ts'
import { parseRule } from '../../src/strategy/expression.ts'
import { compileRule } from '../fixtures/compile-rule.ts'

type Columns = Record<string, readonly number[]>

function astOf(text: string, names: readonly string[]) {
  const { ast, errors } = parseRule(text, names)
  if (ast === null) throw new Error(JSON.stringify(errors))
  return ast
}

/** The rule on every bar, as a string of 1 and 0. */
function evaluate(text: string, columns: Columns): string {
  const arrays = Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)]),
  )
  const signal = new Uint8Array(Object.values(columns)[0]?.length ?? 0)
  compileRule(astOf(text, Object.keys(columns)), arrays)(signal, 0)
  return signal.join('')
}

const nan = Number.NaN

test.each([
  ['a < 2', '10'],
  ['a <= 2', '11'],
  ['a > 1', '01'],
  ['a >= 2', '01'],
  ['a == 2', '01'],
  ['a != 2', '10'],
  ['a + 1 > 2', '01'],
  ['a - 3 == -1', '01'],
  ['a * 3 == 6', '01'],
  ['a / 2 == 0.5', '10'],
  ['-a < -1', '01'],
  ['not a > 1', '10'],
  ['a > 1 and a > 0', '01'],
  ['a > 1 or a > 0', '11'],
  ['1 > 0', '11'],
])('%j is %s where a is 1, 2', (text, truth) => {
  expect(evaluate(text, { a: [1, 2] })).toBe(truth)
})

test('crossing above needs at or below before and above now', () => {
  expect(evaluate('a crosses above b', { a: [1, 2, 3, 3, 1, 3], b: [2, 2, 2, 3, 2, 2] })).toBe('001001')
})

test('crossing below needs at or above before and below now', () => {
  expect(evaluate('a crosses below 2', { a: [3, 2, 1, 1, 2, 1] })).toBe('001001')
})

test('nothing crosses on the first bar', () => {
  expect(evaluate('a crosses above 1 or a > 0', { a: [2, 2] })).toBe('01')
})

test('a rule is false while any of its operands is NaN, whatever surrounds it', () => {
  const columns = { a: [nan, nan, 1, 1], b: [5, 5, 5, 5] }
  for (const rule of [
    'not a > 3',
    'a != 3',
    'b > 1 or a > 3',
    'not (b > 9 and a > 3)',
    'a < 3',
    '0 * a == 0',
  ]) {
    expect(evaluate(rule, columns)).toBe('0011')
  }
})

test('a cross also needs its operands on the bar before', () => {
  expect(evaluate('not a crosses above 3', { a: [nan, nan, 1, 1] })).toBe('0001')
})

test('a rule that divides by zero is false on that bar', () => {
  const columns = { a: [0, 1] }
  expect(evaluate('1 / a > 0', columns)).toBe('01')
  expect(evaluate('not 1 / a > 5', columns)).toBe('01')
  expect(evaluate('a / a != 7', columns)).toBe('01')
})

test('the look-back is the longest of the operands, and one more for a cross', () => {
  const lookback = (text: string) => ruleLookback(astOf(text, ['a', 'b', 'close']), { a: 4, b: 9 })
  expect(lookback('close > 1')).toBe(0)
  expect(lookback('a > 1 and close > b')).toBe(9)
  expect(lookback('not b crosses above a * 2 or a > 1')).toBe(10)
  expect(lookback('close crosses above 3')).toBe(1)
})

test('before the look-back a rule is false, whatever the numbers', () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 8, maxLength: 8 })
  const rules = [
    'not a > b',
    'a != b',
    'a crosses above b',
    'not (a crosses below b) or b > 0',
    'b + 1 > b - 1 or a == a',
  ]
  fc.assert(
    fc.property(
      values,
      values,
      fc.nat(8),
      fc.nat(8),
      fc.constantFrom(...rules),
      (a, b, warmA, warmB, rule) => {
        const truth = evaluate(rule, { a: a.fill(nan, 0, warmA), b: b.fill(nan, 0, warmB) })
        const lookback = ruleLookback(astOf(rule, ['a', 'b']), { a: warmA, b: warmB })
        expect(truth.slice(0, lookback)).not.toContain('1')
      },
    ),
  )
})

test('a chain as long as a rule may be is evaluated', () => {
  const text = `${'1+'.repeat(990)}1 > 990`
  expect(evaluate(text, { a: [1] })).toBe('1')
})

test('a rule compiled without one of its columns is a bug that is named', () => {
  expect(() => compileRule(astOf('toString > 1', ['toString']), {})).toThrow(/no such column/)
})
