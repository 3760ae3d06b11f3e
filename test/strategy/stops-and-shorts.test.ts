import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { columnOf } from '../../src/indicators/indicator.ts'
import { findIndicator, indicatorTypes } from '../../src/indicators/registry.ts'
import { truncateBars } from '../../src/market/bars.ts'
import { Problem } from '../../src/problems.ts'
import { parseStrategy } from '../../src/strategy/parse.ts'
import { computeIndicators, computeSignals, requiredHistory } from '../../src/strategy/signals.ts'
import { anyBars, barsOfCloses } from '../fixtures/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { walkOf } from '../fixtures/walks.ts'

function read(indicators: string, rules: string) {
  return parseStrategy(`
name: tested
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: ${indicators}
decisions:
  rules: ${rules}
`).strategy
}

test('each of the four rules is decided on its own, and an absent one is never true', () => {
  const bars = barsOfCloses([1, 5, 2, 6, 3])
  const both = computeSignals(
    read(
      '{}',
      '{ enter_long: close > 4, exit_long: close < 2, enter_short: close < 3, exit_short: close > 5 }',
    ),
    bars,
  )
  expect([...both.enter_long]).toEqual([0, 1, 0, 1, 0])
  expect([...both.exit_long]).toEqual([1, 0, 0, 0, 0])
  expect([...both.enter_short]).toEqual([1, 0, 1, 0, 0])
  expect([...both.exit_short]).toEqual([0, 0, 0, 1, 0])
  const short = computeSignals(read('{}', '{ enter_short: close < 3, max_bars: 2 }'), bars)
  expect([...short.enter_long, ...short.exit_long, ...short.exit_short]).toEqual(Array(15).fill(0))
  expect(short.stop_distance).toBeNull()
  expect(short.target_distance).toBeNull()
})

test('a distance in percent is one of the close of the deciding bar', () => {
  const strategy = read(
    '{}',
    '{ enter_long: close > 0, stop_loss: { percent: 5 }, take_profit: { percent: 20 } }',
  )
  const { stop_distance, target_distance } = computeSignals(strategy, barsOfCloses([100, 200, 40]))
  expect([...(stop_distance ?? [])]).toEqual([5, 10, 2])
  expect([...(target_distance ?? [])]).toEqual([20, 40, 8])
})

test('a distance by an indicator is a multiple of its value, and unknown in its warm-up', () => {
  const bars = walkOf(3, 60)
  const strategy = read(
    '{ range: { type: atr, period: 14 } }',
    '{ enter_long: close > 0, stop_loss: { indicator: range, multiple: 2.5 } }',
  )
  const { stop_distance, first_usable_bar, enter_long } = computeSignals(strategy, bars)
  const range = columnOf(findIndicator('atr')!.compute(bars, { period: 14 }), 'value')
  expect(stop_distance).toEqual(range.map(value => (value > 0 ? 2.5 * value : Number.NaN)))
  expect(first_usable_bar).toBe(14)
  expect(enter_long.indexOf(1)).toBe(14)
})

test('where the stop is not above 0 its distance is unknown, and the rules say what they say: the engine does not enter', () => {
  const strategy = read(
    '{ range: { type: atr, period: 1 } }',
    '{ enter_long: close > 0, enter_short: close > 0, exit_long: close > 0, stop_loss: { indicator: range, multiple: 1 } }',
  )
  // The range of bar 2 is 0.
  const { enter_long, enter_short, exit_long, stop_distance } = computeSignals(
    strategy,
    barsOfCloses([1, 2, 2, 3]),
  )
  expect([...(stop_distance ?? [])]).toEqual([Number.NaN, 1, Number.NaN, 1])
  expect([...enter_long]).toEqual([0, 1, 1, 1])
  expect([...enter_short]).toEqual([0, 1, 1, 1])
  expect([...exit_long]).toEqual([0, 1, 1, 1])
})

test('entries lie at distances known at the deciding close, and wait for the longest warm-up of all', () => {
  const bars = walkOf(5, 60)
  const strategy = read(
    '{ range: { type: atr, period: 20 } }',
    '{ enter_long: close > 0, exit_long: close < 0, entry: { type: stop_limit, stop: { indicator: range, multiple: 0.5 }, limit: { percent: 2 } } }',
  )
  const { limit_distance, entry_stop_distance, stop_distance, target_distance, first_usable_bar } =
    computeSignals(strategy, bars)
  const range = columnOf(findIndicator('atr')!.compute(bars, { period: 20 }), 'value')
  expect(entry_stop_distance).toEqual(range.map(value => 0.5 * value))
  expect(limit_distance).toEqual(bars.close.map(close => 0.02 * close))
  expect([stop_distance, target_distance, first_usable_bar]).toEqual([null, null, 20])
  const market = read('{}', '{ enter_long: close > 0, exit_long: close < 0 }')
  expect(computeSignals(market, bars)).toMatchObject({ limit_distance: null, entry_stop_distance: null })
})

test('an indicator may read another one, and waits for both', () => {
  const bars = walkOf(4, 80)
  const strategy = read(
    '{ smooth: { type: sma, period: 5, source: trend.signal }, trend: { type: macd } }',
    '{ enter_long: smooth > 0, exit_long: smooth < 0 }',
  )
  expect(Object.keys(strategy.indicators)).toEqual(['trend', 'smooth'])
  const columns = computeIndicators(strategy, bars)
  const source = columns['trend.signal']!
  for (let i = 37; i < bars.length; i++) {
    const mean = source.subarray(i - 4, i + 1).reduce((sum, value) => sum + value, 0) / 5
    expect(columns.smooth![i]).toBeCloseTo(mean, 9)
  }
  // 33 bars of the signal, and 4 more.
  expect(requiredHistory(strategy)).toBe(37)
  expect(columns.smooth!.findIndex(value => !Number.isNaN(value))).toBe(37)
})

const strategies = [
  read(
    '{ channel: { type: donchian, period: 7, exclude_current: true }, range: { type: atr, period: 5 } }',
    '{ enter_long: close > channel.upper, exit_long: close < channel.middle, enter_short: close < channel.lower, exit_short: close > channel.middle, stop_loss: { indicator: range, multiple: 2, trailing: true }, take_profit: { indicator: channel.upper, multiple: 0.1 }, sizing: { mode: risk, risk_percent: 1 } }',
  ),
  read(
    '{ swing: { type: rsi, period: 4 }, calm: { type: ema, period: 3, source: swing }, bands: { type: bollinger_bands, period: 6, source: calm } }',
    '{ enter_long: swing crosses above bands.lower, enter_short: calm crosses below bands.upper, entry: { type: stop_limit, stop: { percent: 1 }, limit: { indicator: swing, multiple: 0.1 } }, stop_loss: { percent: 3 }, max_bars: 9 }',
  ),
]

test('deleting the bars after T changes no rule, stop or target up to T', () => {
  fc.assert(
    fc.property(anyBars(0, 150), fc.nat(150), fc.constantFrom(...strategies), (bars, length, strategy) => {
      const whole = computeSignals(strategy, bars)
      const { first_usable_bar, ...known } = computeSignals(strategy, truncateBars(bars, length))
      expect(first_usable_bar).toBe(whole.first_usable_bar)
      for (const [name, column] of Object.entries(known) as [keyof typeof known, Float64Array | null][])
        expect(column).toEqual(whole[name]?.subarray(0, length) ?? null)
    }),
  )
})

test('a strategy that decides by a model has no signals of its own', () => {
  const { strategy } = parseStrategy(`
name: neuro
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: { rsi_14: { type: rsi } }
nn_inputs: [{ raw_indicator: rsi_14, timeframes: all }]
model: { type: mlp, architecture: { hidden_layers: [4] } }
decisions: { output_format: classification }
training: { labels: { source: zigzag } }
`)
  expect(() => computeSignals(strategy, walkOf(1, 30))).toThrow(Problem)
  expect(() => requiredHistory(strategy)).toThrow(/decides by a model/)
})

test.each([
  ['{ x: { type: sma } }', 'x', /price itself/],
  ['{ x: { type: ema, source: y }, y: { type: donchian } }', 'x', /price itself/],
  ['{ x: { type: donchian } }', 'x.upper', /price itself/],
  ['{ x: { type: sma, source: volume } }', 'x', /is a volume, not a price/],
  ['{ x: { type: sma, source: y }, y: { type: rsi } }', 'x', /is a percent, not a price/],
])('a stop of %s by %s is remarked on', (indicators, indicator, message) => {
  expect(remarksOn(indicators, indicator)).toEqual([expect.stringMatching(message)])
})

test.each([
  ['{ x: { type: atr } }', 'x'],
  ['{ x: { type: sma, source: y }, y: { type: atr } }', 'x'],
  ['{ x: { type: macd } }', 'x'],
  ['{ x: { type: ichimoku } }', 'x.chikou'],
  ['{ x: { type: sma, source: y.chikou }, y: { type: ichimoku } }', 'x'],
])('a stop by the range or difference of prices %s, %s, is not', (indicators, indicator) =>
  expect(remarksOn(indicators, indicator)).toEqual([]),
)

test('remarked on as the price itself are just the outputs that rise by 1,000 where all prices are higher by 1,000', () => {
  const low = walkOf(3, 200)
  const raised = (prices: Float64Array) => prices.map(price => price + 1000)
  const high = {
    ...low,
    open: raised(low.open),
    high: raised(low.high),
    low: raised(low.low),
    close: raised(low.close),
  }
  for (const type of indicatorTypes) {
    const spec = findIndicator(type)!
    const [before, after] = [low, high].map(bars => spec.compute(bars, defaultsOf(spec)))
    for (const { name, unit } of spec.outputs) {
      if (unit !== 'price' && unit !== 'source') continue
      const rise = columnOf(after!, name)[150]! - columnOf(before!, name)[150]!
      const read = spec.outputs.length > 1 ? `x.${name}` : 'x'
      const isRemarked = remarksOn(`{ x: { type: ${type} } }`, read).some(text => /price itself/.test(text))
      expect([type, name, isRemarked]).toEqual([type, name, Math.abs(rise - 1000) < 1])
    }
  }
})

function remarksOn(indicators: string, indicator: string): readonly string[] {
  return parseStrategy(`
name: stopped
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators: ${indicators}
decisions: { rules: { enter_long: close > 1, stop_loss: { indicator: ${indicator}, multiple: 2 } } }
`).warnings
}
