import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { metricDefinitions, metricNames } from '../../src/backtest/metric-definitions.ts'
import { computeMetrics } from '../../src/backtest/metrics.ts'
import type { OpenTrade } from '../../src/backtest/open-trade.ts'
import type { Bars } from '../../src/market/bars.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { anyConfig, anySignals, freeConfig, runOne, signalsAt } from '../fixtures/backtest.ts'
import { anyBars, barsOf, barsOfCloses } from '../fixtures/bars.ts'
import { contextOf, curveOf, grow, measuredMarket, runOf, tradesOf } from '../fixtures/measured-run.ts'

type Given = {
  enter?: readonly number[]
  exit?: readonly number[]
  timeframe?: Timeframe
  firstUsableBar?: number
}

function measure(bars: Bars, given: Given = {}) {
  const config = freeConfig
  const run = runOne({
    bars,
    config,
    signals: signalsAt(bars.length, given.enter ?? [], given.exit ?? []),
  })
  const { timeframe = '1d', firstUsableBar = 0 } = given
  return computeMetrics(run, { markets: [measuredMarket(bars, { firstUsableBar })], config, timeframe })
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
      const run = runOne({ bars, signals, config })
      const context = {
        markets: [measuredMarket(bars, { firstUsableBar })],
        config,
        timeframe: '1d',
      } as const
      // The bootstrap is most of the time: one run in four.
      const intervalSeed = firstUsableBar % 4 === 0 ? firstUsableBar : null
      const { values, undefined_reasons } = computeMetrics(run, context, { intervalSeed })
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

test('the confidence interval is left out unless a seed is given, and is the same for the same seed', () => {
  const returns = [0.01, -0.02, 0.03, 0.01, -0.01, 0.02, 0.01, -0.03, 0.02, 0.01]
  const run = runOf(curveOf(grow(returns)))
  const context = contextOf(10)
  const light = computeMetrics(run, context)
  expect(light.values.sharpe_ci_low).toBeNull()
  expect(light.undefined_reasons.sharpe_ci_high).toMatch(/not computed/)
  const full = computeMetrics(run, context, { intervalSeed: 1 })
  expect(full).toEqual(computeMetrics(run, context, { intervalSeed: 1 }))
  expect(full.values.sharpe_ci_low).not.toBe(
    computeMetrics(run, context, { intervalSeed: 2 }).values.sharpe_ci_low,
  )
  const { sharpe_ci_low: low, sharpe, sharpe_ci_high: high } = full.values
  expect((low ?? 0) < (sharpe ?? 0) && (sharpe ?? 0) < (high ?? 0)).toBe(true)
  const { sharpe_ci_low: _, sharpe_ci_high: __, ...rest } = full.values
  expect(light.values).toMatchObject(rest)
})

test('returns are beside those of the benchmark what a calculation by hand says', () => {
  // Half of the equity is in the market: returns of ½ · (10 %, −10 %, 10 %, −10 %).
  const closes = [10, 11, 9.9, 10.89, 9.801]
  const run = runOf(curveOf(grow([0, 0.05, -0.05, 0.05, -0.05])))
  const context = contextOf(5, { markets: [measuredMarket(barsOfCloses(closes))] })
  const { values } = computeMetrics(run, context)
  expect(values.beta).toBeCloseTo(0.5, 12)
  expect(values.correlation).toBeCloseTo(1, 12)
  expect(values.alpha_annual_fraction).toBeCloseTo(0, 12)
  // Differences 0, −5 %, 5 %, −5 %, 5 %: mean 0.
  expect(values.information_ratio).toBeCloseTo(0, 12)
  expect(values.treynor).toBeCloseTo((values.annual_return_fraction ?? 0) / 0.5, 12)
})

test('shape and tails of the returns are what a calculation by hand says', () => {
  // Of −2 %, 1 %, 1 %: mean 0, m₂ = 2·10⁻⁴, m₃ = −2·10⁻⁶, m₄ = 6·10⁻⁸.
  const { values } = computeMetrics(runOf(curveOf(grow([-0.02, 0.01, 0.01]))), contextOf(3))
  expect(values.skew).toBeCloseTo(-1 / Math.SQRT2, 9)
  expect(values.kurtosis).toBeCloseTo(1.5, 9)
  expect(values.omega).toBeCloseTo(1, 9)
  // Position 0.1 between −2 % and 1 %; the worst of three is one.
  expect(values.value_at_risk_95_fraction).toBeCloseTo(0.017, 12)
  expect(values.expected_shortfall_95_fraction).toBeCloseTo(0.02, 12)
  // Drawdowns 2 %, 1.02 % and 0.0302 % of 100.
  const squares = 0.02 ** 2 + (1 - 0.98 * 1.01) ** 2 + (1 - 0.98 * 1.01 ** 2) ** 2
  expect(values.ulcer_index_fraction).toBeCloseTo(Math.sqrt(squares / 3), 12)
  expect(values.psr).toBeCloseTo(0.5, 9)
  expect(values.annual_return_fraction).toBeCloseTo((0.98 * 1.01 ** 2) ** (252 / 3) - 1, 12)
})

test('turnover and time on each side are what a calculation by hand says', () => {
  const curve = curveOf(new Array<number>(365.25 * 4).fill(100))
  // Bought for 200, sold for 300, and 100 is still open: 600 of 100 in four years.
  const trades = tradesOf([
    { pnl: 100, units: 10, entry: 20, exit: 30, bars: 400 },
    { pnl: 0, units: 0, bars: 300, side: 'short' },
  ])
  const { values } = computeMetrics(runOf(curve, { trades, open_trades: [openTrade] }), contextOf(1461))
  expect(values.annual_turnover).toBeCloseTo(6 / 4, 12)
  expect([values.long_time_fraction, values.short_time_fraction]).toEqual([401 / 1461, 300 / 1461])
})

test('an account that was lost has no returns, and says so', () => {
  const { values, undefined_reasons } = computeMetrics(runOf(curveOf([100, 50, 0, 0])), contextOf(4))
  expect(values.total_return_fraction).toBe(-1)
  expect(values.max_drawdown_fraction).toBe(1)
  for (const name of ['cagr_fraction', 'sharpe', 'psr', 'beta', 'ulcer_index_fraction'] as const) {
    expect(values[name]).toBeNull()
    expect(undefined_reasons[name]).toBe('the equity fell to zero or below')
  }
})

const openTrade: OpenTrade = {
  symbol: 'AAA',
  side: 'long',
  entry_time: 0,
  entry_price: 20,
  units: 5,
  last_price: 20,
  gross_pnl: 0,
  commission: 0,
  spread: 0,
  slippage: 0,
  borrow: 0,
  funding: 0,
  net_pnl: 0,
  bars_held: 1,
  max_favourable_excursion: 0,
  max_adverse_excursion: 0,
  stop_price: null,
  current_stop_price: null,
  target_price: null,
}
