import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { runBacktest } from '../../src/backtest/engine.ts'
import { metricDefinitions, metricNames } from '../../src/backtest/metric-definitions.ts'
import { computeMetrics } from '../../src/backtest/metrics.ts'
import type { Bars } from '../../src/market/bars.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { anyConfig, anySignals, freeConfig, signalsAt } from '../fixtures/backtest.ts'
import { anyBars, barsOf, barsOfCloses } from '../fixtures/bars.ts'

type Given = {
  enter?: readonly number[]
  exit?: readonly number[]
  timeframe?: Timeframe
  firstUsableBar?: number
}

function measure(bars: Bars, given: Given = {}) {
  const config = freeConfig
  const run = runBacktest({
    bars,
    config,
    signals: signalsAt(bars.length, given.enter ?? [], given.exit ?? []),
  })
  const { timeframe = '1d', firstUsableBar = 0 } = given
  return computeMetrics(run, { bars, config, timeframe, firstUsableBar })
}

// Bought with 100 at the open of Tuesday, 10 a unit: equity at the closes 100, 110, 99, 108.9, that is
// returns 0, +10 %, −10 %, +10 % on Monday to Thursday.
const fourDays = barsOf([
  { open: 10, high: 10, low: 10, close: 10 },
  { open: 10, high: 11, low: 10, close: 11 },
  { open: 11, high: 11, low: 9.9, close: 9.9 },
  { open: 9.9, high: 10.89, low: 9.9, close: 10.89 },
])

test('return, volatility, Sharpe and Sortino are what a calculation by hand says', () => {
  const { values } = measure(fourDays, { enter: [0] })
  // Mean 0.025; squares of the differences 0.000625 + 0.005625 + 0.015625 + 0.005625 = 0.0275, / 3.
  const deviation = Math.sqrt(0.0275 / 3)
  expect(values.final_equity).toBeCloseTo(108.9, 10)
  expect(values.total_return_fraction).toBeCloseTo(0.089, 12)
  expect(values.periods_per_year).toBe(252)
  expect(values.annual_volatility_fraction).toBeCloseTo(deviation * Math.sqrt(252), 10)
  expect(values.sharpe).toBeCloseTo((0.025 / deviation) * Math.sqrt(252), 9)
  // Only one return is negative, over all four periods: √(0.01 / 4) = 0.05.
  expect(values.sortino).toBeCloseTo((0.025 / 0.05) * Math.sqrt(252), 9)
})

test('growth, drawdown and Calmar are what a calculation by hand says', () => {
  const { values } = measure(fourDays, { enter: [0] })
  const cagr = 1.089 ** (365.25 / 4) - 1
  expect(values.cagr_fraction).toBeCloseTo(cagr, 6)
  // From 110 at the close of day 2 to 99; not reached again by the close of day 4.
  expect(values.max_drawdown_fraction).toBeCloseTo(0.1, 12)
  expect(values.max_drawdown_duration_days).toBe(2)
  expect(values.calmar).toBeCloseTo(cagr / 0.1, 4)
  expect(values.exposure_fraction).toBe(3 / 4)
})

test('a fall on the first day counts from the initial capital', () => {
  const bars = barsOf([
    { open: 10, high: 10, low: 10, close: 10 },
    { open: 10, high: 10, low: 8, close: 8 },
    { open: 8, high: 12, low: 8, close: 12 },
  ])
  const { values } = measure(bars, { enter: [0] })
  expect(values.max_drawdown_fraction).toBeCloseTo(0.2, 12)
  // The high of 100 stood at the close of day 1 and was passed at the close of day 3.
  expect(values.max_drawdown_duration_days).toBe(2)
})

test('trade statistics are in money and count a result of zero as neither won nor lost', () => {
  // Flat prices within a bar; bought and sold at 10→12, 12→12, 12→6, 6→9: 100 → 120 → 120 → 60 → 90.
  const bars = barsOfCloses([10, 10, 12, 12, 12, 12, 6, 6, 9, 9])
  const { values } = measure(bars, { enter: [0, 2, 4, 6], exit: [1, 3, 5, 7] })
  expect([values.trades, values.winning_trades, values.losing_trades]).toEqual([4, 2, 1])
  expect(values.win_rate_fraction).toBe(0.5)
  expect(values.profit_factor).toBeCloseTo((20 + 30) / 60, 12)
  expect(values.expectancy).toBeCloseTo(-10 / 4, 12)
  expect([values.avg_win, values.avg_loss, values.best_trade, values.worst_trade]).toEqual([25, -60, 30, -60])
  // Mean −2.5; squares 22.5² + 2.5² + 57.5² + 32.5² = 4 875, / 3 = 1 625.
  expect(values.sqn).toBeCloseTo((2 * -2.5) / Math.sqrt(1625), 12)
})

test('buy and hold starts at the first bar a decision could be made on', () => {
  const bars = barsOfCloses([5, 10, 20])
  expect(measure(bars).values.buy_and_hold_return_fraction).toBe(3)
  expect(measure(bars, { firstUsableBar: 1 }).values.buy_and_hold_return_fraction).toBe(1)
  const late = measure(bars, { firstUsableBar: 3 })
  expect(late.values.buy_and_hold_return_fraction).toBeNull()
  expect(late.undefined_reasons.buy_and_hold_return_fraction).toMatch(/warm-up/)
})

test('without trades the ratios are null and say why', () => {
  const { values, undefined_reasons } = measure(barsOfCloses([10, 11, 12]))
  expect(values).toMatchObject({
    sharpe: null,
    sortino: null,
    calmar: null,
    profit_factor: null,
    win_rate_fraction: null,
    sqn: null,
  })
  expect(values).toMatchObject({
    total_return_fraction: 0,
    cagr_fraction: 0,
    max_drawdown_fraction: 0,
    annual_volatility_fraction: 0,
  })
  expect(undefined_reasons).toMatchObject({
    sharpe: 'the equity returns do not vary',
    sortino: 'no equity return is negative',
    calmar: 'the equity never fell',
    profit_factor: 'there are no trades',
    sqn: 'fewer than two trades',
  })
})

test('a single period has no volatility', () => {
  expect(measure(barsOfCloses([10])).undefined_reasons.annual_volatility_fraction).toBe(
    'fewer than two daily returns',
  )
})

test('intraday equity is measured once per UTC day, at its last bar', () => {
  // Twelve-hour bars of three days; the bar that closes at midnight ends its own day.
  const closes = [10, 10, 30, 11, 5, 9.9]
  const rows = closes.map((close, i) => {
    const open = closes[i - 1] ?? 10
    return { open, close, high: Math.max(open, close), low: Math.min(open, close) }
  })
  const intraday = measure(barsOf(rows, '12h', 43_200_000), { enter: [0], timeframe: '12h' })
  const daily = measure(barsOfCloses([10, 11, 9.9]), { enter: [] })
  expect(intraday.return_frequency).toBe('daily')
  expect(intraday.values.periods_per_year).toBe(daily.values.periods_per_year)
  // Returns 0, +10 %, −10 %: mean 0, deviation √(0.02 / 2) = 0.1.
  expect(intraday.values.annual_volatility_fraction).toBeCloseTo(0.1 * Math.sqrt(252), 10)
  expect(intraday.values.sharpe).toBeCloseTo(0, 10)
})

test('every metric is a finite number or null with a reason, whatever happened', () => {
  const anyInput = anyBars(1, 60).chain(bars =>
    fc.tuple(fc.constant(bars), anySignals(bars.length), anyConfig, fc.nat(60)),
  )
  fc.assert(
    fc.property(anyInput, ([bars, signals, config, firstUsableBar]) => {
      const run = runBacktest({ bars, signals, config })
      const { values, undefined_reasons } = computeMetrics(run, {
        bars,
        config,
        timeframe: '1d',
        firstUsableBar,
      })
      expect(Object.keys(values)).toEqual(metricNames)
      for (const name of metricNames) {
        const value = values[name]
        if (value === null) expect(undefined_reasons[name]).toBeTruthy()
        else expect(Number.isFinite(value) && undefined_reasons[name] === undefined).toBe(true)
      }
    }),
  )
})

test('every metric has a unit, a definition and a source', () => {
  for (const { unit, definition, source } of Object.values(metricDefinitions)) {
    expect(unit && source).toBeTruthy()
    expect(definition).toMatch(/\.$/)
  }
})
