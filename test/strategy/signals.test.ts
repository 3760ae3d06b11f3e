import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { truncateBars } from '../../src/market/bars.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeIndicators, computeSignals, requiredHistory } from '../../src/strategy/signals.ts'
import type { Strategy } from '../../src/strategy/strategy.ts'
import { anyBars, barsOfCloses } from '../fixtures/bars.ts'

function strategyOf(indicators: string, enter: string, exit: string, history = 0): Strategy {
  return parseStrategy(`
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
  history_required: ${history}
indicators: ${indicators}
decisions:
  rules:
    enter_long: ${enter}
    exit_long: ${exit}
`).strategy
}

test('a crossing of two averages is signalled on the bar where it happens', () => {
  const strategy = strategyOf(
    '{ fast: { type: sma, period: 1 }, slow: { type: sma, period: 3 } }',
    'fast crosses above slow',
    'fast crosses below slow',
  )
  // slow:           –  –  2  2  3  4  3
  const bars = barsOfCloses([3, 2, 1, 3, 5, 4, 0])
  const signals = computeSignals(strategy, bars)
  expect([...signals.enter_long]).toEqual([0, 0, 0, 1, 0, 0, 0])
  expect([...signals.exit_long]).toEqual([0, 0, 0, 0, 0, 0, 1])
  expect(signals.first_usable_bar).toBe(3)
  expect([...(computeIndicators(strategy, bars).slow ?? [])]).toEqual([Number.NaN, Number.NaN, 2, 2, 3, 4, 3])
})

test('no decision is made before the history the strategy requires', () => {
  const strategy = strategyOf('{}', 'close > 0', 'close > 5', 3)
  expect(requiredHistory(strategy)).toBe(3)
  expect([...computeSignals(strategy, barsOfCloses([1, 1, 1, 1, 1])).enter_long]).toEqual([0, 0, 0, 1, 1])
})

test('both rules wait for the one with the longer look-back', () => {
  const strategy = strategyOf('{ slow: { type: sma, period: 4 } }', 'close > 0', 'close < slow')
  expect([...computeSignals(strategy, barsOfCloses([1, 1, 1, 1, 1])).enter_long]).toEqual([0, 0, 0, 1, 1])
})

test('fewer bars than the look-back give no signal', () => {
  const strategy = strategyOf('{ slow: { type: rsi } }', 'slow < 100', 'slow > 99')
  const signals = computeSignals(strategy, barsOfCloses([1, 2, 3]))
  expect(signals.first_usable_bar).toBe(14)
  expect([...signals.enter_long]).toEqual([0, 0, 0])
})

const strategies = [
  strategyOf(
    '{ fast: { type: ema, period: 3, source: hl2 }, slow: { type: sma, period: 6 }, swing: { type: rsi, period: 4 }, range: { type: atr, period: 5 } }',
    'fast crosses above slow or swing < 35 and close > low + range / 2',
    'not (swing < 60) or fast crosses below slow - range',
  ),
  ...['sma_cross', 'rsi_reversion'].map(
    name => parseStrategy(readFileSync(`examples/strategies/${name}.yaml`, 'utf8')).strategy,
  ),
]

test('deleting the bars after T changes no decision up to T', () => {
  fc.assert(
    fc.property(anyBars(0, 200), fc.nat(200), fc.constantFrom(...strategies), (bars, length, strategy) => {
      const whole = computeSignals(strategy, bars)
      const known = computeSignals(strategy, truncateBars(bars, length))
      expect(known.enter_long).toEqual(whole.enter_long.subarray(0, length))
      expect(known.exit_long).toEqual(whole.exit_long.subarray(0, length))
      for (const [id, values] of Object.entries(computeIndicators(strategy, truncateBars(bars, length)))) {
        expect(values).toEqual(computeIndicators(strategy, bars)[id]?.subarray(0, length))
      }
    }),
  )
})

test('the same bars give the same signals', () => {
  fc.assert(
    fc.property(anyBars(0, 100), fc.constantFrom(...strategies), (bars, strategy) => {
      expect(computeSignals(strategy, bars)).toEqual(computeSignals(strategy, bars))
    }),
  )
})

test('the first example really decides something on five years of Apple', async () => {
  const { CsvBarsReader } = await import('../../src/market/csv.ts')
  const reader = new CsvBarsReader({ timeframe: '1d' })
  reader.write(readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv'))
  const bars = reader.end()
  for (const strategy of strategies.slice(1)) {
    const { enter_long, exit_long } = computeSignals(strategy, bars)
    expect(enter_long.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(2)
    expect(exit_long.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(2)
  }
})
