import { expect, test } from '@jest/globals'
import { atr } from '../../src/indicators/atr.ts'
import { ema } from '../../src/indicators/ema.ts'
import { columnOf, type IndicatorSpec } from '../../src/indicators/indicator.ts'
import { parabolicSar } from '../../src/indicators/parabolic_sar.ts'
import { findIndicator } from '../../src/indicators/registry.ts'
import { rsi } from '../../src/indicators/rsi.ts'
import { sma } from '../../src/indicators/sma.ts'
import { atrSheet } from '../fixtures/atr.ts'
import { barsOf, barsOfCloses } from '../fixtures/bars.ts'
import { defaultsOf } from '../fixtures/indicator-params.ts'
import { movingAverageSheet } from '../fixtures/moving-averages.ts'
import { rsiSheet } from '../fixtures/rsi.ts'
import { talibBars } from '../fixtures/talib-bars.ts'
import { otherProgramsValues, talibValues, wilderSar } from '../fixtures/talib-values.ts'

function expectNear(actual: Float64Array, expected: readonly number[], tolerance: number) {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => {
    expect(Math.abs((actual[i] as number) - value)).toBeLessThanOrEqual(tolerance)
  })
}

const closesOf = (spec: IndicatorSpec, closes: readonly number[], period: number) =>
  columnOf(spec.compute(barsOfCloses(closes), { ...defaultsOf(spec), period }), 'value')

test('RSI gives the numbers StockCharts publishes', () => {
  const value = closesOf(rsi, rsiSheet.closes, rsiSheet.period)
  expectNear(value.subarray(rsiSheet.period), rsiSheet.values, 0.005)
})

test('SMA and EMA give the numbers StockCharts publishes', () => {
  const { period, closes } = movingAverageSheet
  expectNear(closesOf(sma, closes, period).subarray(period - 1), movingAverageSheet.sma, 0.011)
  expectNear(closesOf(ema, closes, period).subarray(period - 1), movingAverageSheet.ema, 0.011)
})

test('ATR gives the numbers StockCharts publishes', () => {
  const bars = barsOf(atrSheet.rows.map(([high, low, close]) => ({ open: close, high, low, close })))
  const value = columnOf(atr.compute(bars, { period: atrSheet.period }), 'value')
  expectNear(value.subarray(atrSheet.period), atrSheet.values, 0.011)
})

const knownValues = [
  ...talibValues.map(value => ['TA-Lib', value] as const),
  ...otherProgramsValues.map(value => ['another program', value] as const),
]

test.each(
  knownValues.map(([source, value]) => [value.type, value.output, value.bar, source, value] as const),
)('%s %s at bar %d is what %s gives', (type, output, bar, _source, { params, value, within }) => {
  const spec = findIndicator(type)!
  const column = columnOf(spec.compute(talibBars, { ...defaultsOf(spec), ...params }), output)
  expect(Math.abs(column[bar]! - value)).toBeLessThanOrEqual(within)
})

test('the parabolic stops of Wilder’s example are his', () => {
  const { highs, lows, stops } = wilderSar
  const bars = barsOf(highs.map((high, i) => ({ open: high, high, low: lows[i]!, close: high })))
  const column = columnOf(parabolicSar.compute(bars, defaultsOf(parabolicSar)), 'value')
  for (const [bar, stop] of Object.entries(stops))
    expect(Math.abs(column[Number(bar)]! - stop)).toBeLessThanOrEqual(0.005)
})

// Computed by hand, exact in binary.
test('SMA of 1 2 3 6 with period 2 is 1.5 2.5 4.5', () => {
  expect([...closesOf(sma, [1, 2, 3, 6], 2)]).toEqual([Number.NaN, 1.5, 2.5, 4.5])
})

test('EMA starts from the mean of the first bars and then moves 2 / (n + 1) of the way', () => {
  // Mean of 2 4 6 is 4; k = 1/2: 4 + (8 − 4)/2 = 6; 6 + (2 − 6)/2 = 4.
  expect([...closesOf(ema, [2, 4, 6, 8, 2], 3)]).toEqual([Number.NaN, Number.NaN, 4, 6, 4])
})

test('RSI of period 2 follows Wilder step by step', () => {
  // Changes +2 −2: gain 1, loss 1 → 50. Then +4: gain (1·1 + 4)/2 = 2.5, loss 0.5 → 100 · 2.5/3.
  expect([...closesOf(rsi, [10, 12, 10, 14], 2)]).toEqual([Number.NaN, Number.NaN, 50, 100 * (2.5 / 3)])
})

test('ATR of period 2 has no true range on bar 0 and counts gaps', () => {
  const bars = barsOf([
    { open: 10, high: 11, low: 9, close: 10 },
    { open: 10, high: 12, low: 10, close: 12 }, // 2
    { open: 16, high: 16, low: 15, close: 15 }, // gap up: 16 − 12 = 4
    { open: 10, high: 11, low: 10, close: 10 }, // gap down: 15 − 10 = 5
  ])
  expect([...columnOf(atr.compute(bars, { period: 2 }), 'value')]).toEqual([Number.NaN, Number.NaN, 3, 4])
})

test('RSI is 100 when nothing fell, 0 when nothing rose and 50 when nothing moved', () => {
  const up = Array.from({ length: 30 }, (_, i) => 10 + i * 0.1)
  expect(closesOf(rsi, up, 14).at(-1)).toBe(100)
  expect(closesOf(rsi, up.toReversed(), 14).at(-1)).toBe(0)
  expect(closesOf(rsi, up.fill(10), 14).at(-1)).toBe(50)
})

test('a huge value leaves no trace in the SMA one window later', () => {
  const closes = [1e15, ...Array.from({ length: 20 }, () => 0.1)]
  expect(closesOf(sma, closes, 5).at(-1)).toBeCloseTo(0.1, 15)
})
