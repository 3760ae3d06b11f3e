import { expect, test } from '@jest/globals'
import { columnOf } from '../../src/indicators/indicator.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeIndicators, computeSignals, requiredHistory } from '../../src/strategy/signals.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { walkOf } from '../fixtures/walks.ts'

function read(indicators: string, enter: string, exit = 'close < 0') {
  return parseStrategy(`
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: ${indicators}
decisions:
  rules:
    enter_long: ${enter}
    exit_long: ${exit}
`)
}

function refusalOf(indicators: string, enter = 'close > 0') {
  try {
    read(indicators, enter)
  } catch (error) {
    if (error instanceof Problem) return error.errors?.map(({ code, message }) => `${code}: ${message}`) ?? []
    throw error
  }
  throw new Error('the strategy was accepted')
}

const macd = '{ trend: { type: macd } }'

test('a rule reads any output by id.output, and the first by the id alone', () => {
  const bars = walkOf(1, 120)
  const spec = findIndicator('macd')!
  const columns = spec.compute(bars, defaultsOf(spec))
  const { strategy } = read(macd, 'trend.line > trend.signal and trend > 0')
  const signals = computeSignals(strategy, bars)
  expect(computeIndicators(strategy, bars)['trend.signal']).toEqual(columnOf(columns, 'signal'))
  expect(computeIndicators(strategy, bars).trend).toEqual(columnOf(columns, 'line'))
  const [line, signal] = [columnOf(columns, 'line'), columnOf(columns, 'signal')]
  const expected = [...line].map((value, i) => (value > signal[i]! && value > 0 ? 1 : 0))
  expect([...signals.enter_long]).toEqual(expected)
  expect(expected).toContain(1)
})

test('the history a rule needs is that of the outputs it reads', () => {
  expect(requiredHistory(read(macd, 'trend.line > 0').strategy)).toBe(25)
  expect(requiredHistory(read(macd, 'trend.signal > 0').strategy)).toBe(33)
  expect(requiredHistory(read(macd, 'trend > 0').strategy)).toBe(25)
})

test('an indicator of which an output is read counts as used', () => {
  expect(read(macd, 'trend.signal > 0').warnings).toEqual([])
})

test('a misspelt output is refused with the nearest one', () => {
  expect(refusalOf(macd, 'trend.signl > 0')).toEqual([
    "unknown_name: there is no 'trend.signl': did you mean 'trend.signal'? (column 1 of enter_long)",
  ])
})

test('numbers, flags and names are parameters like whole numbers', () => {
  const { strategy } = read(
    '{ a: { type: bollinger_bands, multiplier: 2.5 }, b: { type: donchian, exclude_current: true } }',
    'close > a.upper or close > b.upper',
  )
  expect(strategy.indicators).toEqual({
    a: { type: 'bollinger_bands', period: 20, multiplier: 2.5, source: 'close' },
    b: { type: 'donchian', period: 20, exclude_current: true },
  })
  expect(
    refusalOf(
      '{ a: { type: bollinger_bands, multiplier: 11, period: 2.5 }, b: { type: donchian, exclude_current: 1 } }',
    ),
  ).toEqual([
    'range: multiplier: 11 is outside 0.01 to 10',
    'type: period: 2.5 should be a whole number',
    'type: exclude_current: 1 should be true or false',
  ])
})

test('parameters that are right alone but do not go together are refused', () => {
  expect(refusalOf('{ a: { type: macd, fast_period: 30, slow_period: 20 } }')).toEqual([
    'conflict: slow_period: 20 should be longer than fast_period, which is 30',
  ])
  expect(refusalOf('{ a: { type: macd, fast_period: 30 } }')).toEqual([
    'conflict: slow_period: 26 should be longer than fast_period, which is 30',
  ])
})

test('what repaints is refused as an indicator, and says why', () => {
  expect(refusalOf('{ a: { type: zigzag } }')).toEqual([
    'repaints: zigzag repaints, its values depend on later bars: it can label, but not be an indicator',
  ])
})
